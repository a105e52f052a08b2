"""Stages side by side: in which order they begin, and how failures and signals end them."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

from lorarecipe import signals as held
from lorarecipe.dataset import scan
from lorarecipe.errors import Interrupted, MachineNotReady, TrainingFailed
from lorarecipe.events import Delivered, Event, Failed, Finished, Paused, Reused, Started, Waiting
from lorarecipe.live.words import sentence
from lorarecipe.plan import Plan, Stage, TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.records import Proof
from lorarecipe.rules import check
from lorarecipe.run import Here, execute, workers_of
from lorarecipe.run.makers import MAKERS, Attempt, StagePaused, Start
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from tests.test_execution import _second

Edit = Callable[[str, str], Path]
#: seconds after which a test that waits has failed
_LONG = 60


@dataclass(frozen=True)
class Deed(Stage):
    """A stage that does what a test says."""

    kind = "deed"
    name: str
    needs: tuple[Deed, ...] = ()

    @property
    def why(self) -> str:
        """Say what for."""
        return "a test does it"

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """The deeds before it."""
        return self.needs

    def identity(self) -> dict[str, object]:
        """Give name and inputs."""
        return {"name": self.name, "needs": [one.key for one in self.needs]}


@dataclass
class Deeds:
    """Makes deeds, and counts how many are under way."""

    acts: dict[str, Callable[[], object]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    now: int = 0
    most: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, stage: Deed, trainer: Installation, store: Store) -> Start:
        return Start()

    def make(self, stage: Deed, attempt: Attempt) -> Iterator[Event]:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            self.acts.get(stage.name, lambda: None)()
        finally:
            with self._lock:
                self.now -= 1
        self.made.append(stage.name)
        yield from ()

    def prove(self, stage: Deed, attempt: Attempt) -> Proof:
        return {}


@pytest.fixture
def deeds(monkeypatch: pytest.MonkeyPatch) -> Deeds:
    deeds = Deeds()
    monkeypatch.setitem(MAKERS, "deed", deeds)
    return deeds


def _plan(*stages: Deed) -> Plan:
    return Plan("sd-scripts", stages, {stage.key: stage.name for stage in stages}, ())


def _workers(place: Installation, store: Store, jobs: int) -> list[Here]:
    return [Here(place, store)] * jobs


def _began(events: list[Event]) -> list[str]:
    return [event.title for event in events if isinstance(event, Started)]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_a_stage_begins_when_what_it_needs_is_finished(
    deeds: Deeds, fake_trainer: Installation, store: Store, tmp_path: Path, jobs: int
) -> None:
    first = Deed("first")
    middle = [Deed(f"middle {number}", (first,)) for number in range(6)]
    last = Deed("last", (*middle,))
    plan = _plan(first, *middle, last)
    events = list(execute(plan, _workers(fake_trainer, store, jobs), tmp_path))
    began = _began(events)
    planned = [plan.titles[stage.key] for stage in plan.stages]
    assert began == planned if jobs == 1 else sorted(began) == sorted(planned)
    place = {(type(event), event.title): at for at, event in enumerate(events) if isinstance(event, Started | Finished)}
    for stage in plan.stages:
        for before in plan.graph[stage.key]:
            assert place[Finished, plan.titles[before]] < place[Started, plan.titles[stage.key]]
    assert deeds.most <= jobs


def test_two_are_made_at_the_same_time(deeds: Deeds, fake_trainer: Installation, store: Store, tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=_LONG)
    deeds.acts = {"a": both.wait, "b": both.wait}
    list(execute(_plan(Deed("a"), Deed("b")), _workers(fake_trainer, store, 2), tmp_path))
    assert sorted(deeds.made) == ["a", "b"]


def _fail() -> bool:
    raise TrainingFailed("no")


def test_what_is_under_way_is_finished_when_another_ends_the_run(
    deeds: Deeds, fake_trainer: Installation, store: Store, tmp_path: Path
) -> None:
    both, failed = threading.Barrier(2, timeout=_LONG), threading.Event()
    deeds.acts = {"a": lambda: both.wait() < 0 or _fail(), "b": lambda: both.wait() < 0 or failed.wait(_LONG)}
    plan = _plan(Deed("a"), Deed("b"), Deed("c"))
    seen: list[Event] = []
    with pytest.raises(TrainingFailed, match=r"^no$"):
        for event in execute(plan, _workers(fake_trainer, store, 2), tmp_path):
            seen.append(event)
            if isinstance(event, Failed):
                failed.set()
    assert [type(event) for event in seen] == [Started, Started, Failed, Finished]
    assert [store.find(stage.short) is not None for stage in plan.stages] == [False, True, False]


def test_two_runs_of_one_store_make_a_stage_once(
    deeds: Deeds, fake_trainer: Installation, store: Store, tmp_path: Path
) -> None:
    """The second begins while the first is in the middle, waits for what it needs, and makes what is its own."""
    begun, go_on = threading.Barrier(2, timeout=_LONG), threading.Event()
    deeds.acts = {"shared": lambda: begun.wait() < 0 or go_on.wait(_LONG)}
    shared = Deed("shared")
    plans = [_plan(shared, Deed("own of the first", (shared,))), _plan(shared, Deed("own"), Deed("of both", (shared,)))]
    seen: list[list[Event]] = [[], []]

    def run(number: int) -> None:
        for event in execute(plans[number], _workers(fake_trainer, Store(store.root), 2), tmp_path):
            seen[number].append(event)
            if number and isinstance(event, Finished) and event.title == "own":
                go_on.set()  # it does not wait for what it does not need

    first, second = (threading.Thread(target=run, args=(number,)) for number in range(2))
    first.start()
    begun.wait()
    second.start()
    first.join(_LONG)
    second.join(_LONG)
    assert sorted(deeds.made) == ["of both", "own", "own of the first", "shared"]
    assert {Waiting, Reused} < {type(event) for event in seen[1]}


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _LONG
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_stream_that_is_closed_ends_everything(
    deeds: Deeds, fake_trainer: Installation, store: Store, tmp_path: Path
) -> None:
    deeds.acts = dict.fromkeys("ab", lambda: _until(lambda: False))
    plan = _plan(Deed("a"), Deed("b"))
    events = execute(plan, _workers(fake_trainer, store, 2), tmp_path)
    next(events)
    _until(lambda: deeds.now == 2)
    events.close()
    assert deeds.now == 0
    for stage in plan.stages:
        with store.lock(stage.short, wait=False) as free:
            assert free


def _pausing() -> None:
    """Do as a training does: at the first signal, end with a state that is kept."""
    with held.hold():
        _until(held.asked)
    raise StagePaused(Interrupted(held.asked() or 0), 1, 2)


def _stubborn() -> None:
    with held.hold():
        _until(lambda: False)


@pytest.mark.usefixtures("signals")
def test_a_signal_has_each_training_pause_and_all_else_end(
    deeds: Deeds, fake_trainer: Installation, store: Store, tmp_path: Path
) -> None:
    deeds.acts = {"a": _pausing, "b": _pausing, "c": lambda: _until(lambda: False)}
    seen: list[Event] = []
    with pytest.raises(Interrupted) as caught:
        for event in execute(_plan(*map(Deed, "abcd")), _workers(fake_trainer, store, 3), tmp_path):
            seen.append(event)
            if len(seen) == 3:
                _until(lambda: deeds.now == 3 and held._state.holding.total() == 2)
                os.kill(os.getpid(), signal.SIGTERM)
    assert caught.value.exit_code == 143
    assert sorted(_began(seen)) == ["a", "b", "c"]
    assert sorted(event.title for event in seen if isinstance(event, Paused)) == ["a", "b"]
    assert [event.title for event in seen if isinstance(event, Failed)] == ["c"]


@pytest.mark.usefixtures("signals")
def test_a_second_signal_ends_all_at_once(
    deeds: Deeds, fake_trainer: Installation, store: Store, tmp_path: Path
) -> None:
    deeds.acts = dict.fromkeys("ab", _stubborn)
    seen: list[Event] = []

    def ask() -> None:
        _until(lambda: held._state.holding.total() == 2)
        os.kill(os.getpid(), signal.SIGTERM)
        _until(held.asked)
        os.kill(os.getpid(), signal.SIGINT)

    asking = threading.Thread(target=ask)
    asking.start()
    with pytest.raises(Interrupted) as caught:
        seen.extend(execute(_plan(*map(Deed, "abc")), _workers(fake_trainer, store, 2), tmp_path))
    asking.join()
    assert caught.value.exit_code == 130
    assert deeds.now == 0


def test_a_gate_that_may_stop_a_target_is_waited_for(edit: Edit) -> None:
    plans = {
        mode: compile_plan([check(scan(load(edit(f'mode = "{before}"', f'mode = "{mode}"'))))])
        for before, mode in pairwise(("off", "report", "stop"))
    }
    for mode, plan in plans.items():
        [target] = [one for one in plan.stages if isinstance(one, TrainStage) and one.role == "target"]
        gates = [stage.key for stage in plan.stages if stage.kind == "gate"]
        assert len(gates) == 2
        assert [key in plan.graph[target.key] for key in gates] == [mode == "stop"] * 2


def _two_targets(folder: Path) -> Plan:
    return compile_plan([check(scan(load(path))) for path in (folder / "recipe.toml", _second(folder))])


def test_each_training_sees_its_own_gpu(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan = _two_targets(folder)
    workers = workers_of(plan, fake_trainer, store, devices=None)
    assert workers == [Here(fake_trainer, store)]  # of a machine without GPUs
    workers = [Here(fake_trainer, store, (number,)) for number in (2, 3)]
    events = list(execute(plan, workers, folder / "out"))
    assert {event.name for event in events if isinstance(event, Delivered)} == {one.name for one in plan.deliveries}
    logs = [store.path(stage.short) / "trainer.log" for stage in plan.stages if stage.kind == "train"]
    seen = [log.read_text("utf-8").splitlines()[0] for log in logs]
    assert len(seen) == 3
    assert {*seen} <= {"CUDA_VISIBLE_DEVICES=2", "CUDA_VISIBLE_DEVICES=3"}


def test_a_gpu_that_another_run_uses_is_waited_for(folder: Path, fake_trainer: Installation, store: Store) -> None:
    worker = Here(fake_trainer, store, (2,))
    one, other = (compile_plan([check(scan(load(path)))]) for path in (folder / "recipe.toml", _second(folder)))
    first, second = execute(one, worker, folder / "out"), execute(other, worker, folder / "out")
    assert any(isinstance(event, Started) and event.title == "target aoi" for event in first)
    waiting = next(event for event in second if isinstance(event, Waiting))
    assert (waiting.title, waiting.gpu) == ("target rin", "2")
    assert sentence(waiting) == "waiting  target rin: another run uses GPU 2"
    first.close()
    assert [event.name for event in second if isinstance(event, Delivered)]


@pytest.mark.parametrize(
    ("jobs", "devices", "found"),
    [
        (None, None, [(0,), (1,), (2,), (3,)]),
        (1, None, [(0, 1, 2, 3)]),
        (2, None, [(0,), (1,)]),
        (None, (3, 1), [(3,), (1,)]),
        (None, (2,), [(2,)]),
    ],
)
def test_the_gpus_of_a_machine_are_shared_out(
    folder: Path,
    fake_trainer: Installation,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    jobs: int | None,
    devices: tuple[int, ...] | None,
    found: list[tuple[int, ...]],
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    assert [worker.devices for worker in workers_of(plan, fake_trainer, store, jobs, devices)] == found


def test_nvidias_own_program_counts_the_gpus(
    folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\necho 'GPU 0: NVIDIA (UUID: GPU-1)'\necho '  MIG 1g'\necho 'GPU 1: NVIDIA (UUID: GPU-2)'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    assert [worker.devices for worker in workers_of(plan, fake_trainer, store)] == [(0,), (1,)]


def _with(plan: Plan, **settings: object) -> Plan:
    stages = tuple(replace(one, **settings) if isinstance(one, TrainStage) else one for one in plan.stages)  # type: ignore[arg-type]
    return replace(plan, stages=stages, titles={stage.key: stage.kind for stage in stages})


@pytest.mark.parametrize(
    ("settings", "jobs", "devices", "found"),
    [
        ({"processes": 2}, None, None, [(0, 1), (2, 3)]),
        ({"processes": 3}, None, None, [(0, 1, 2), (3,)]),
        ({"processes": 4}, None, None, [(0, 1, 2, 3)]),
        ({"processes": 5}, None, None, "found 4 GPUs on this machine, and processes = 5"),
        ({"device": "cuda:3"}, 1, None, [(0, 1, 2, 3)]),
        ({"device": "cuda:3"}, None, None, [(0,), (1,), (2,), (3,)]),
        ({"device": "cpu"}, 3, None, [(), (), ()]),
        ({"device": "cpu"}, None, None, [()]),
        ({"processes": 2}, None, (0,), "found 1 GPU in --devices, and processes = 2"),
        (
            {"processes": 2},
            3,
            None,
            "found --jobs 3, and 4 GPUs with 2 for each training; expected --jobs 2 at the most",
        ),
        ({}, None, (4,), "found --devices 4, and 4 GPUs that are counted from 0"),
        ({"device": "cuda:3"}, None, (0, 1), 'found device = "cuda:3" in .trainer., and this run uses the GPUs 0, 1;'),
    ],
)
def test_what_a_recipe_asks_for_is_heeded(
    folder: Path,
    fake_trainer: Installation,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    settings: dict[str, object],
    jobs: int | None,
    devices: tuple[int, ...] | None,
    found: list[tuple[int, ...]] | str,
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2,3")
    plan = _with(compile_plan([check(scan(load(folder / "recipe.toml")))]), **settings)
    if isinstance(found, str):
        with pytest.raises(MachineNotReady, match=found):
            workers_of(plan, fake_trainer, store, jobs, devices)
        return
    workers = workers_of(plan, fake_trainer, store, jobs, devices)
    assert [worker.devices for worker in workers] == found
    assert all(any(worker.takes(stage) for worker in workers) for stage in plan.stages)
