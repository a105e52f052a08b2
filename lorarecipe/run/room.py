"""What a run will write, in bytes, and whether the disk has room for it."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.errors import MachineNotReady, data_size
from lorarecipe.plan import OUTPUT, Delivery, Plan, Stage
from lorarecipe.store import Store

#: bytes that samples, logs and records may take
_SPARE = 500_000_000


@dataclass(frozen=True)
class Room:
    """Bytes that a disk has and that a run needs there; ``otherwise`` is what to do in place of making room."""

    path: Path
    free: int
    need: int
    otherwise: str

    @property
    def lack(self) -> str:
        """Say that it is too small, and what to do; nothing where it is large enough."""
        found = f"{self.path}: {data_size(self.free)} free, expected {data_size(self.need)}"
        return f"{found}; make room, or {self.otherwise}" if self.free < self.need else ""


def rooms(
    plan: Plan, missing: Sequence[Stage], store: Store, out: Path, pulled: Mapping[str, int] | None = None
) -> tuple[Room, ...]:
    """Compare the disks of the store and of the results with what the missing stages and the results will take.

    ``pulled`` has the bytes of those that come from a shared store, by their names.
    """
    made = sum((pulled or {}).get(stage.short, stage.size) for stage in missing) + (_SPARE if missing else 0)
    results = sum(_result_bytes(delivery, missing, store, out) for delivery in plan.deliveries)
    places = ((store.root, made, "set LORARECIPE_HOME to another disk"), (out, results, "name another folder: --out"))
    needed = Counter[int]()
    for path, size, _ in places:
        needed[nearest(path).stat().st_dev] += size
    return tuple(
        Room(path, free_bytes(path), needed[nearest(path).stat().st_dev], otherwise) for path, _, otherwise in places
    )


def require_room(
    plan: Plan, missing: Sequence[Stage], store: Store, out: Path, pulled: Mapping[str, int] | None = None
) -> None:
    """Look whether the disks can take what the missing stages will make, and the results.

    Raises
    ------
    MachineNotReady
        With what is free on a disk and what is needed there.
    """
    for room in rooms(plan, missing, store, out, pulled):
        if room.lack:
            raise MachineNotReady(room.lack)


def free_bytes(path: Path) -> int:
    """Count the free bytes on the disk of a folder, which need not be there yet."""
    return shutil.disk_usage(nearest(path)).free


def nearest(path: Path) -> Path:
    """Give the nearest folder that is there already, or the path itself where there is none (a drive that is gone)."""
    return next((folder for folder in (path, *path.parents) if folder.exists()), path)


def require_writable(folder: Path, otherwise: str = "name another folder: --out") -> None:
    """Look whether files can be written into a folder, which need not be there yet.

    Raises
    ------
    MachineNotReady
        When the folder is a file, is read-only, or lies on a full disk.
    """
    try:
        with tempfile.TemporaryFile(dir=nearest(folder)) as trial:
            trial.write(bytes(1 << 12))
    except OSError as problem:
        raise MachineNotReady(f"{folder}: cannot be written ({problem.strerror}); {otherwise}") from problem


def _result_bytes(delivery: Delivery, missing: Sequence[Stage], store: Store, out: Path) -> int:
    """Bytes of a delivery's LoRAs that are not there yet."""
    needed = 0
    for lora, stage in delivery.loras.items():
        if stage in missing:
            every = stage.training.save_every_epochs or stage.steps.epochs
            needed += stage.lora_size * (1 + stage.steps.epochs // every)
        else:
            made = store.path(stage.short).glob(f"{OUTPUT}*.safetensors")
            files = {out / delivery.name / f"{lora}{path.stem.removeprefix(OUTPUT)}.safetensors": path for path in made}
            needed += sum(path.stat().st_size for file, path in files.items() if not file.exists())
    return needed
