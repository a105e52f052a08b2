"""Checkpoints and bases that change while a stage is made from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.errors import CheckFailed, TrainingFailed
from lorarecipe.events import Delivered, Event, Finished, Started
from lorarecipe.plan import Plan, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.weights import rewrite_metadata


def _plan(folder: Path) -> Plan:
    return compile_plan([check(scan(load(folder / "recipe.toml")))])


def _changed_at(number: int, folder: Path, trainer: Installation, store: Store) -> tuple[list[Event], str]:
    """Run, and change the checkpoint when the stage of this number has started."""
    events: list[Event] = []
    with pytest.raises(CheckFailed) as caught:
        for event in execute(_plan(folder), Here(trainer, store), folder / "out"):
            events.append(event)
            if isinstance(event, Started) and sum(isinstance(e, Started) for e in events) == number:
                rewrite_metadata(folder / "checkpoint.safetensors", folder / "checkpoint.safetensors", {"a": "b"})
    return events, str(caught.value)


@pytest.mark.parametrize(("number", "spoilt"), [(3, 3), (4, 2)])
def test_the_result_is_kept_and_not_reused(
    folder: Path, fake_trainer: Installation, store: Store, number: int, spoilt: int
) -> None:
    """Changed under the base, all that follows is spoilt; changed under the merge, the base is not."""
    before = _plan(folder)
    checkpoint = str(folder / "checkpoint.safetensors")
    content = (folder / "checkpoint.safetensors").read_bytes()
    events, told = _changed_at(number, folder, fake_trainer, store)
    assert told == f"{checkpoint}: changed while it was used; the result is kept, and made anew by the same command"
    changed = [event.changed for event in events if isinstance(event, Finished)]
    assert changed == [()] * (5 - spoilt) + [(checkpoint,)] * spoilt
    assert sum(isinstance(event, Delivered) for event in events) == 3
    found = [store.find(stage.short) is not None for stage in before.stages]
    assert found == [True] * (5 - spoilt) + [False] * spoilt
    assert all(store.path(stage.short).is_dir() for stage in before.stages)
    (folder / "checkpoint.safetensors").write_bytes(content)  # as it was: what was made meanwhile is not trusted
    again = list(execute(_plan(folder), Here(fake_trainer, store), folder / "out"))
    assert sum(isinstance(event, Started) for event in again) == spoilt
    assert all(store.find(stage.short) for stage in before.stages)


def test_a_checkpoint_that_is_gone(folder: Path, fake_trainer: Installation, store: Store) -> None:
    """As when the network drive that it lies on is gone: the run goes on when it is there again."""
    with pytest.raises(TrainingFailed) as caught:
        for event in execute(_plan(folder), Here(fake_trainer, store), folder / "out"):
            if isinstance(event, Finished) and event.kind == "train":
                (folder / "checkpoint.safetensors").rename(folder / "away.safetensors")
    assert "checkpoint.safetensors" in str(caught.value)
    (folder / "away.safetensors").rename(folder / "checkpoint.safetensors")
    *again, last = execute(_plan(folder), Here(fake_trainer, store), folder / "out")
    assert isinstance(last, Delivered)
    assert sum(isinstance(event, Started) for event in again) == 2
