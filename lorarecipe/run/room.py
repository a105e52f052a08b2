"""What a run will write, in bytes, and whether the disk has room for it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lorarecipe.errors import MachineNotReady
from lorarecipe.plan import DataStage, MergeStage, PickStage, Stage, TrainStage
from lorarecipe.trainer.states import epochs_between_states
from lorarecipe.weights import Folder, lora_values, open_checkpoint

#: bytes that samples, logs and records may take
_SPARE = 500_000_000
#: the weights and the optimizer's two moments of each
_STATE = 3
#: the two that are kept, and the one that is being written
_STATES = 3


def require_room(missing: Sequence[Stage], place: Path) -> None:
    """Look whether the disk can take what the missing stages will make.

    Raises
    ------
    MachineNotReady
        With what is free and what is needed.
    """
    need, folder = sum(_bytes_of(stage) for stage in missing) + (_SPARE if missing else 0), place
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < need:
        told = f"{place}: {free / 1e9:.1f} GB free, expected {need / 1e9:.1f}"
        raise MachineNotReady(f"{told}; make room, or set LORARECIPE_HOME to another disk")


def require_writable(out: Path) -> None:
    """Look whether results can be written into a folder, which need not be there yet.

    Raises
    ------
    MachineNotReady
        When the folder is a file, is read-only, or lies on a full disk.
    """
    folder = out
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as trial:
            trial.write(bytes(1 << 20))
    except OSError as problem:
        raise MachineNotReady(f"{out}: cannot be written ({problem.strerror}); name another folder: --out") from problem


def state_bytes(stage: TrainStage) -> int:
    """Bytes of a training's state, with the LoRA that is saved beside it."""
    return (_STATE + 1) * _lora_bytes(stage)


def _bytes_of(stage: Stage) -> int:
    """Bytes of a stage: a merged checkpoint is as large as its own, a training keeps LoRAs, and states meanwhile."""
    if isinstance(stage, DataStage) and not isinstance(stage, PickStage):  # those are not drawn yet, and few
        return sum(image.path.stat().st_size for group in stage.groups for image in group)
    if isinstance(stage, MergeStage):
        path = stage.model.path
        return sum(file.stat().st_size for file in (Folder(path).files if path.is_dir() else (path,)))
    if not isinstance(stage, TrainStage):
        return 0
    between = epochs_between_states(stage)
    loras = stage.steps.epochs // (between or stage.training.save_every_epochs or stage.steps.epochs + 1) + 1
    return _lora_bytes(stage) * (loras + (_STATE * _STATES if between else 0))


def _lora_bytes(stage: TrainStage) -> int:
    """Bytes of a LoRA in float32, which is how both trainers hold and save it."""
    weights = open_checkpoint(stage.model.path)
    training = stage.training
    return 4 * training.rank * lora_values(weights.shapes, stage.model.family, training.text_encoder_lr is not None)
