"""Measure arms of units, in a process a core, each pinned to its own; a unit is a target and a seed."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

import torch

from tests.bench.method.arms import Arm, Bench
from tests.bench.method.cast import target_of
from tests.bench.method.measure import Gallery, Studio
from tests.bench.method.results import Line, append

#: seeds of bases; a target is trained on the bases of one of them
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Cell:
    """One arm of one unit, and the file that its line is added to; ``share`` of the prompts are drawn."""

    unit: int
    name: str
    arm: Arm
    bench: Bench
    share: float
    raw: Path
    machine: dict[str, str]


def measure(cells: Sequence[Cell]) -> Iterator[Line]:
    """Train and measure, in the order of the cells; gives the lines as they come."""
    context = get_context("spawn")
    cores: Queue[int] = context.Queue()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)
    with context.Pool(min(len(cells), len(os.sched_getaffinity(0))), _pin, (cores,)) as pool:
        yield from pool.imap_unordered(_measured, cells)


def _pin(cores: Queue[int]) -> None:
    os.sched_setaffinity(0, {cores.get()})
    torch.set_num_threads(1)


@lru_cache(maxsize=1)
def _studio(unit: int, share: float) -> Studio:
    return Studio(target_of(unit), share)


def _measured(cell: Cell) -> Line:
    began = time.monotonic()
    studio = _studio(cell.unit, cell.share)
    seed = SEEDS[cell.unit % len(SEEDS)]
    lora = cell.bench.made(cell.arm, studio, seed)
    measures, drawn = studio.figures(lora, cell.arm.weight, cell.arm.without)
    _show(cell.bench.folder / "drawn", f"{cell.unit}-{cell.name}", drawn)
    seconds = round(time.monotonic() - began, 1)
    line = Line(cell.bench.engine, cell.unit, cell.name, cell.arm.digest, measures, seconds, cell.machine)
    append(line, cell.raw)
    return line


def _show(folder: Path, name: str, drawn: Gallery) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate((*drawn.ones[:2], *drawn.scenes[:: max(1, len(drawn.scenes) // 4)])):
        one.save(folder / f"{name}-{number}.png")
