"""One unit of the bench: a target and a seed, every arm trained and measured; a process a core."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import torch

from tests.bench.method.arms import Arm, Bench, picture
from tests.bench.method.cast import target_of
from tests.bench.method.measure import Gallery, Studio

#: seeds of bases; a target is trained on the bases of one of them
SEEDS = (1, 2, 3)


def measure(bench: Bench, units: int, arms: dict[str, Arm], share: float) -> Iterator[dict[str, Any]]:
    """Measure units, one process a core."""
    context = get_context("spawn")
    cores: Queue[int] = context.Queue()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)
    workers = min(units, len(os.sched_getaffinity(0)))
    with ProcessPoolExecutor(workers, context, initializer=_pin, initargs=(cores,)) as pool:
        yield from pool.map(unit, range(units), [bench] * units, [arms] * units, [share] * units)


def _pin(cores: Queue[int]) -> None:
    os.sched_setaffinity(0, {cores.get()})


def unit(number: int, bench: Bench, arms: dict[str, Arm], share: float) -> dict[str, Any]:
    """Train and measure every arm for one target and one seed."""
    torch.set_num_threads(1)
    target, seed = target_of(number), SEEDS[number % len(SEEDS)]
    studio = Studio(target, share)
    told: dict[str, Any] = {}
    for name, arm in arms.items():
        picked = []
        if arm.distilled:
            naive = bench.train(bench.target(replace(arm, distilled=False), target, seed))
            folder = bench.folder / f"picks-{number}"
            picked = [picture(path, caption) for path, caption in studio.picks(naive, folder)]
        lora = bench.train(bench.target(arm, target, seed, picked))
        told[name], drawn = studio.figures(lora, arm)
        _show(bench.folder / "drawn", f"{number}-{name}", drawn)
        print(number, name, told[name], flush=True)
    hair, style, dress = target.figure.hair, target.figure.style, target.figure.dress
    return {"unit": number, "seed": seed, "target": {"hair": hair, "style": style, "dress": dress}, "arms": told}


def _show(folder: Path, name: str, drawn: Gallery) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate((*drawn.ones[:2], *drawn.scenes[:: max(1, len(drawn.scenes) // 4)])):
        one.save(folder / f"{name}-{number}.png")
