"""Memory and disks, against what the recipe's plan needs at the least."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from lorarecipe.doctor.finding import Finding, absent, present
from lorarecipe.errors import data_size
from lorarecipe.estimates import unet_bytes
from lorarecipe.files import size_of
from lorarecipe.plan import Plan, Stage, TrainStage
from lorarecipe.recipe import Recipe
from lorarecipe.run.room import free_bytes, rooms
from lorarecipe.store import Store
from lorarecipe.trainer.gpus import Torch

#: bytes on a disk that any recipe finds enough
_ROOMY = 10_000_000_000
#: files in which Linux tells a container's limit, of the second and the first version of its groups
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def memory(recipe: Recipe | None, missing: Sequence[Stage], torch: Torch | None) -> Iterator[Finding]:
    """Compare RAM and a GPU's memory with what the trainings of a plan hold at the least."""
    trainings = [stage for stage in missing if isinstance(stage, TrainStage)]
    least = max((least_memory(stage) for stage in trainings), default=0)
    device = recipe.trainer.device if recipe else "auto"
    gpus = torch.gpus if torch and device != "cpu" else ()
    # with a GPU, the checkpoint is read into RAM on its way there
    in_ram = (
        max((stage.model.main.coming or size_of(stage.model.main.path) for stage in trainings), default=0)
        if gpus
        else least
    )
    yield _ram(in_ram)
    if recipe and gpus:
        first = int(device.removeprefix("cuda:")) if device.startswith("cuda:") else 0
        used = gpus[first : first + recipe.trainer.processes]
        yield from (_compared(f"memory of {gpu.name}", gpu.memory, least, _OF_A_GPU) for gpu in used)


_OF_A_GPU = "use a GPU with more memory; these are the U-Net and the LoRA alone, and a training needs more than them"


def least_memory(stage: TrainStage) -> int:
    """Bytes that a training holds at the least: the U-Net's weights, and the LoRA with its gradients.

    It is 0 where the checkpoint is still to be fetched.
    """
    if stage.model.main.coming:
        return 0
    return unet_bytes(stage) + 2 * stage.lora_size


def _ram(need: int) -> Finding:
    machine = psutil.virtual_memory()
    whole = min([machine.total, *_limits()])
    free = min(machine.available, whole)
    if need <= whole and need > free:
        found = f"{free / 1e9:.1f} GB of {whole / 1e9:.1f} GB are free, at least {need / 1e9:.1f} GB are needed"
        return Finding("RAM", "note", found, "close other programs before the run")
    return _compared("RAM", whole, need, "use a machine, or a container, with more memory")


def _limits() -> Iterator[int]:
    for name in _LIMITS:
        with suppress(OSError, ValueError):  # without a limit it says "max"
            yield int(Path(name).read_text("ascii"))


def _compared(what: str, there: int, need: int, advice: str) -> Finding:
    found = f"{there / 1e9:.1f} GB"
    if need:
        found += f", at least {need / 1e9:.2f} GB are needed"
    return present(what, found) if there >= need else absent(what, found, advice, needed=True)


def disks(
    plan: Plan | None, missing: Sequence[Stage], pulled: Mapping[str, int], store: Store, out: Path
) -> Iterator[Finding]:
    """Compare the room on the disks with what the run will write; ``pulled`` has the bytes of what is not made here."""
    names = ("disk of the store", "disk of the results")
    if plan is None:
        for name, path in zip(names, (store.root, out), strict=True):
            found = f"{data_size(free_bytes(path))} free at {path}"
            roomy, advice = free_bytes(path) >= _ROOMY, "make room before training on SDXL: a merged checkpoint is 7 GB"
            yield present(name, found) if roomy else absent(name, found, advice, needed=False)
        return
    for name, room in zip(names, rooms(plan, missing, store, out, pulled), strict=True):
        found = f"{data_size(room.free)} free at {room.path}, the run needs {data_size(room.need)} there"
        enough = room.free >= room.need
        yield present(name, found) if enough else absent(name, found, f"make room, or {room.otherwise}", needed=True)
