"""Whether the measure of the hairstyle ranks drawn pictures as the judge reads them.

Usage: python -m tests.bench.method.hairstyle [--units N] [--folder FOLDER]; uses what the bench has trained in FOLDER

Prints, of each unit, the share of pairs of pictures, one with the target's hairstyle and one with another, that the
measure puts in this order: 1 is always, 0.5 is chance. Units where the judge reads one kind only are left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from lorarecipe.measures import hairstyle
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer
from tests.bench.method.__main__ import STEPS
from tests.bench.method.arms import ARMS, Bench
from tests.bench.method.cast import target_of
from tests.bench.method.measure import Studio
from tests.bench.method.unit import SEEDS


def main() -> None:
    """Read the command line, draw and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.method.hairstyle", description=__doc__)
    parser.add_argument("--units", type=int, default=6)
    parser.add_argument("--folder", type=Path, default=Path("out/method"))
    given = parser.parse_args()
    folder: Path = given.folder.absolute()
    bench = Bench(Store(folder / "store"), find_trainer("embedded"), folder / "renders", STEPS)
    shares = []
    for unit in range(given.units):
        studio = Studio(target_of(unit))
        asked = ARMS["refine"].picked
        assert asked
        drawn = studio.candidates(bench.made(ARMS["five"], studio, SEEDS[unit % len(SEEDS)]), asked)
        numbers = np.array([hairstyle.of(one.measurable, studio.yardstick) for one in drawn])
        read = studio.judge.read([one.picture for one in drawn])
        right = np.array([one["style"] == studio.target.figure.style for one in read])
        if 0 < right.sum() < len(right):
            shares.append(float((numbers[right][:, None] < numbers[~right]).mean()))
            print(f"unit {unit}: {right.sum()} of {len(right)} pictures have the hairstyle, {shares[-1]:.2f} of pairs")
    print(f"mean {np.mean(shares):.2f} over {len(shares)} units")


if __name__ == "__main__":
    main()
