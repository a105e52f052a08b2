"""``python -m tests.faults``: all of it, some twenty minutes on two cores. Exits with 1 when anything was lost."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import Queue
from pathlib import Path

from tests.faults.harness import (
    Outcome,
    crowd,
    damage,
    files_to_damage,
    kill_at_points,
    kill_at_times,
    points_of,
    set_clock,
)
from tests.faults.world import World

#: moments of chance, in as many chains of runs
_KILLS, _CHAINS = 100, 4


def _own_core(cores: Queue[int]) -> None:
    """Give a worker one core: trainings that share theirs hinder each other."""
    os.sched_setaffinity(0, {cores.get()})


def main(folder: Path) -> int:
    start = time.monotonic()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:1])  # one thread, as the others: sums are added in the same order
    whole = World.made(folder / "whole")
    assert whole.run(str(folder / "log"), "", "0") == 0, (whole.root / "errors").read_text()
    wanted, points, files = whole.results(), points_of(folder / "log"), files_to_damage(whole)
    print(f"undisturbed: {len(points)} file operations, {len(files)} kinds of files", flush=True)
    os.sched_setaffinity(0, cores)
    free: Queue[int] = Queue()
    for core in cores:
        free.put(core)
    with ProcessPoolExecutor(len(cores), initializer=_own_core, initargs=(free,)) as pool:
        tasks: list[Future[Outcome]] = [pool.submit(kill_at_points, World.made(folder / "points"), points, wanted)]
        for chain in range(_CHAINS):
            world = World.made(folder / f"times-{chain}")
            tasks.append(pool.submit(kill_at_times, world, _KILLS // _CHAINS, chain, wanted))
        parts = [(whole.copy(folder / f"damage-{part}"), files[part::_CHAINS]) for part in range(_CHAINS)]
        tasks += [pool.submit(damage, world, some, wanted) for world, some in parts]
        tasks.append(pool.submit(set_clock, World.made(folder / "clock"), wanted))
        outcome = Outcome()
        for task in tasks:
            outcome.add(task.result())
            print(f"{time.monotonic() - start:.0f} s: {dict(outcome.counts)}, {len(outcome.lost)} lost", flush=True)
    os.sched_setaffinity(0, cores[:1])
    for runs in (2, 8):
        outcome.add(crowd(World.made(folder / f"crowd-{runs}"), runs, wanted))
    for name, count in sorted(outcome.counts.items()):
        print(f"{name:28} {count}")
    for point in outcome.unhit:
        print(f"not reached: {point}")
    print(f"{'lost':28} {len(outcome.lost)}", *outcome.lost, sep="\n")
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if outcome.lost else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(main(Path(folder)))
