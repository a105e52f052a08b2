"""Trainings that are asked to pause: real processes that train nothing, and go on where they were."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from lorarecipe.dataset import scan
from lorarecipe.errors import Interrupted, MachineNotReady, TrainingFailed
from lorarecipe.events import Event, Failed, Finished, Paused, Pausing, Progress, Reused, Started
from lorarecipe.plan import compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.run.makers import train
from lorarecipe.signals import install
from lorarecipe.store import Store
from lorarecipe.trainer import Installation

Edit = Callable[[str, str], Path]
pytestmark = pytest.mark.usefixtures("signals")


def _run(folder: Path, trainer: Installation, store: Store, workers: int = 1) -> Iterator[Event]:
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    return execute(plan, [Here(trainer, store)] * workers, folder / "out")


def _train_events(events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, Started | Pausing | Paused) and event.kind == "train"]


def test_a_signal_pauses(
    folder: Path, edit: Edit, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit("steps = 2", "steps = 4")
    monkeypatch.setenv("FAKE_TRAINER", "slow")
    seen: list[Event] = []
    with pytest.raises(Interrupted) as caught:
        for event in _run(folder, fake_trainer, store):
            if isinstance(event, Progress) and isinstance(seen[-1], Started):
                os.kill(os.getpid(), signal.SIGTERM)
            seen.append(event)
    assert caught.value.exit_code == 143
    _, pausing, paused = _train_events(seen)
    assert isinstance(pausing, Pausing)
    assert pausing.why.startswith("a signal asks for it")
    assert isinstance(paused, Paused)
    assert 0 < paused.step < paused.steps == 4
    install()
    monkeypatch.delenv("FAKE_TRAINER")
    again, *_ = _train_events(list(_run(folder, fake_trainer, store)))
    assert isinstance(again, Started)
    assert again.why.endswith(f"; goes on after epoch 0 and {paused.step} steps")
    state = f"pause-000000-{paused.step:06d}-state"
    assert any(word.startswith("--resume=") and word.endswith(state) for word in again.command)
    assert "--initial_epoch=1" in again.command


def test_a_disk_that_runs_full_pauses(
    folder: Path, edit: Edit, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit("steps = 2", "steps = 4")
    monkeypatch.setenv("FAKE_TRAINER", "slow")
    monkeypatch.setattr(train, "_LOOK", 0.0)
    seen: list[Event] = []
    with (
        monkeypatch.context() as full,
        pytest.raises(MachineNotReady, match="0 MB free, and a state takes 0; make room"),
    ):
        for event in _run(folder, fake_trainer, store):
            if isinstance(event, Progress):
                full.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=0))
            seen.append(event)
    assert [type(event).__name__ for event in _train_events(seen)] == ["Started", "Pausing", "Paused"]
    monkeypatch.delenv("FAKE_TRAINER")
    again, *_ = _train_events(list(_run(folder, fake_trainer, store)))
    assert isinstance(again, Started)
    assert "goes on after epoch 0 and " in again.why


def test_a_signal_that_comes_too_late(folder: Path, fake_trainer: Installation, store: Store) -> None:
    """The base is finished meanwhile, and kept; then the run ends."""
    seen: list[Event] = []
    with pytest.raises(Interrupted):
        for event in _run(folder, fake_trainer, store):
            if isinstance(event, Progress) and event.step == 1:
                os.kill(os.getpid(), signal.SIGINT)
            seen.append(event)
    assert type([event for event in seen if not isinstance(event, Progress | Pausing)][-1]) is Finished


def _signals_after(signums: Sequence[int], name: str, patch: pytest.MonkeyPatch) -> None:
    """Have signals come when a training, which has ended, has done a thing."""
    thing = getattr(train, name)

    def done(*arguments: object) -> object:
        result = thing(*arguments)
        for signum in signums:
            os.kill(os.getpid(), signum)
        # handlers run in the main thread, and an exception for another one comes some 0.2 seconds later
        time.sleep(0.7)
        return result

    patch.setattr(train, name, done)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", ["clear_states", "prove_lora"])
def test_a_signal_waits_until_a_finished_training_is_kept(
    name: str, workers: int, folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its states are gone: without the LoRA, all its steps would be lost."""
    with monkeypatch.context() as patch, pytest.raises(Interrupted) as caught:
        _signals_after([signal.SIGTERM], name, patch)
        list(_run(folder, fake_trainer, store, workers))
    assert caught.value.exit_code == 143
    install()
    again = [event for event in _run(folder, fake_trainer, store) if isinstance(event, Started | Reused)]
    assert [type(event) for event in again if event.kind == "train"] == [Reused, Started]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_signal_ends_the_proof_of_a_finished_training(
    workers: int, folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        _signals_after([signal.SIGTERM, signal.SIGINT], "prove_lora", patch)
        list(_run(folder, fake_trainer, store, workers))
    assert not [*store.root.glob("train-*/made.json")]


def test_a_loss_that_is_not_a_number_stops_a_training(
    folder: Path, edit: Edit, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the third such step, long before the end, which would be waited for ten minutes."""
    edit("steps = 2", "steps = 9")
    monkeypatch.setenv("FAKE_TRAINER", "diverge")
    seen: list[Event] = []
    with pytest.raises(TrainingFailed, match=r"(?s)nan\) since step 2 of 9.*unet_lr = 0.001, text_encoder_lr = 0.0001"):
        for event in _run(folder, fake_trainer, store):
            seen.append(event)  # noqa: PERF402
    assert [event.step for event in seen if isinstance(event, Progress)] == [0, 1, 2, 3, 4]
    assert isinstance(seen[-1], Failed)
