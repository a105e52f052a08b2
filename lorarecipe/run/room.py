"""What a run will write, in bytes, and whether the disk has room for it."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from lorarecipe.errors import MachineNotReady
from lorarecipe.plan import DataStage, Delivery, MergeStage, PickStage, Plan, Stage, TrainStage
from lorarecipe.store import Store
from lorarecipe.trainer.states import OUTPUT, epochs_between_states
from lorarecipe.weights import Folder, lora_values, open_checkpoint

#: bytes that samples, logs and records may take
_SPARE = 500_000_000
#: the weights and the optimizer's two moments of each
_STATE = 3
#: the two that are kept, and the one that is being written
_STATES = 3


def require_room(plan: Plan, missing: Sequence[Stage], store: Store, out: Path) -> None:
    """Look whether the disks can take what the missing stages will make, and the results.

    Raises
    ------
    MachineNotReady
        With what is free on a disk and what is needed there.
    """
    made = sum(_bytes_of(stage) for stage in missing) + (_SPARE if missing else 0)
    results = sum(_result_bytes(delivery, missing, store, out) for delivery in plan.deliveries)
    places = ((store.root, made, "set LORARECIPE_HOME to another disk"), (out, results, "name another folder: --out"))
    needed = Counter[int]()
    for path, size, _ in places:
        needed[_nearest(path).stat().st_dev] += size
    for path, _, otherwise in places:
        need, free = needed[_nearest(path).stat().st_dev], shutil.disk_usage(_nearest(path)).free
        if free < need:
            found = f"{path}: {free / 1e6:,.1f} MB free, expected {need / 1e6:,.1f} MB"
            raise MachineNotReady(f"{found}; make room, or {otherwise}")


def _nearest(path: Path) -> Path:
    """Give the nearest folder that is there already, or the path itself where there is none (a drive that is gone)."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), path)


def require_writable(out: Path) -> None:
    """Look whether results can be written into a folder, which need not be there yet.

    Raises
    ------
    MachineNotReady
        When the folder is a file, is read-only, or lies on a full disk.
    """
    try:
        with tempfile.TemporaryFile(dir=_nearest(out)) as trial:
            trial.write(bytes(1 << 12))
    except OSError as problem:
        raise MachineNotReady(f"{out}: cannot be written ({problem.strerror}); name another folder: --out") from problem


def state_bytes(stage: TrainStage) -> int:
    """Bytes of a training's state, with the LoRA that is saved beside it."""
    return (_STATE + 1) * _lora_bytes(stage)


def _result_bytes(delivery: Delivery, missing: Sequence[Stage], store: Store, out: Path) -> int:
    """Bytes of a delivery's LoRAs that are not there yet."""
    stage, folder = delivery.stage, out / delivery.name
    if stage in missing:
        return _lora_bytes(stage) * (1 + stage.steps.epochs // (stage.training.save_every_epochs or stage.steps.epochs))
    made = store.path(stage.short).glob(f"{OUTPUT}*.safetensors")
    names = {path: f"{delivery.name}{path.stem.removeprefix(OUTPUT)}.safetensors" for path in made}
    return sum(path.stat().st_size for path, name in names.items() if not (folder / name).exists())


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
