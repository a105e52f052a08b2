from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lorarecipe.plan import TrainStage
from lorarecipe.trainer.states import State, clear_states, last_state, seal_states, unseal
from tests.test_compile import _plan


def _state(attempt: Path, epoch: int, *files: str) -> Path:
    folder = attempt / f"lora-{epoch:06d}-state"
    folder.mkdir(parents=True)
    for name in files or ("optimizer.bin", "train_state.json"):
        (folder / name).write_text(f"{name} {epoch}")
    (attempt / f"lora-{epoch:06d}.safetensors").write_text(f"weights {epoch}")
    return folder


def test_a_state_counts_when_the_training_is_past_it(tmp_path: Path) -> None:
    first = _state(tmp_path, 1)
    seal_states(tmp_path, epoch=1)  # it may still be being written
    assert last_state(tmp_path) is None
    seal_states(tmp_path, epoch=2)
    state = last_state(tmp_path)
    assert state == State(
        first,
        1,
        0,
        ("lora-000001-state/optimizer.bin", "lora-000001-state/train_state.json", "lora-000001.safetensors"),
    )
    assert state.kept == {"lora-000001-state", "lora-000001-state.json", "lora-000001.safetensors", "logs"}


@pytest.mark.parametrize(
    "harm", ["cut", "flipped", "gone", "no folder", "torn seal", "no seal", "lora gone", "another's"]
)
def test_a_damaged_state_falls_back_to_the_one_before(tmp_path: Path, harm: str) -> None:
    for epoch in (3, 6):
        _state(tmp_path, epoch)
        seal_states(tmp_path, epoch + 1)
    newest = tmp_path / "lora-000006-state"
    file, seal = newest / "optimizer.bin", tmp_path / "lora-000006-state.json"
    match harm:
        case "cut":
            file.write_text("opt")
        case "flipped":
            file.write_text("optimizer.bin 7")
        case "gone":
            file.unlink()
        case "no folder":
            shutil.rmtree(newest)
        case "torn seal":
            seal.write_text('{"lora')
        case "no seal":
            seal.unlink()
        case "lora gone":
            (tmp_path / "lora-000006.safetensors").unlink()
        case "another's":
            seal.write_text("[]")
    state = last_state(tmp_path)
    assert state is not None
    assert state.epochs == 3


def test_a_later_lora_that_may_be_half_written_is_not_sealed_with_it(tmp_path: Path) -> None:
    _state(tmp_path, 1)
    (tmp_path / "lora-000002.safetensors").write_text("half")
    seal_states(tmp_path, epoch=2)
    (tmp_path / "lora-000002.safetensors").write_text("half, and half")
    state = last_state(tmp_path)
    assert state is not None
    unseal(state)
    assert last_state(tmp_path) is None


def _training(folder: Path, **changes: Any) -> TrainStage:
    base = next(stage for stage in _plan(folder / "recipe.toml").stages if isinstance(stage, TrainStage))
    return replace(base, training=base.training.model_copy(update=changes))


def test_what_only_a_resumed_training_needs_goes(folder: Path, tmp_path: Path) -> None:
    for epoch in (1, 2, 3, 4):
        _state(tmp_path, epoch)
    seal_states(tmp_path, 9)
    (tmp_path / "lora-state").mkdir()
    (tmp_path / "lora.safetensors").touch()
    clear_states(tmp_path, _training(folder, save_every_epochs=2))
    assert sorted(path.name for path in tmp_path.glob("lora*")) == [
        "lora-000002.safetensors",
        "lora-000004.safetensors",
        "lora.safetensors",
    ]
    clear_states(tmp_path, _training(folder, save_every_epochs=None))
    assert [path.name for path in tmp_path.glob("lora*")] == ["lora.safetensors"]


def test_how_often(folder: Path) -> None:
    """12 images in batches of 1: 8 steps an epoch of the base."""
    assert _training(folder, epochs=40, steps=None).epochs_between_states == 4
    assert _training(folder, epochs=5, steps=None).epochs_between_states == 1
    assert _training(folder, epochs=1, steps=None).epochs_between_states is None
    assert _training(folder, epochs=40, steps=None, save_every_epochs=3).epochs_between_states == 3
    assert _training(folder, epochs=None, steps=160).epochs_between_states == 2
    assert _training(folder, epochs=None, steps=161).epochs_between_states == 2
    assert replace(_training(folder, epochs=40, steps=None), can_go_on=False).epochs_between_states is None
