"""Measure the method's claims in the demo's world, on the original checkpoint.

Usage: python -m tests.bench.method [--quick] [--units N] [--arms NAME,NAME] [--sd-scripts] [--folder FOLDER]

A unit is a target drawn at random and a seed; every arm is trained for it, a process a core, each pinned to its own.
Each result is a line of tests/bench/results/method.jsonl, added as it comes: a call measures what has no line yet, so a
run can be stopped and gone on with, on another day or machine, and a new arm costs that arm only. With --quick, a few arms
of a few steps, and the file is in the folder.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from lorarecipe.demo import NANO
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, find_trainer
from tests.bench.method.arms import ARMS, LOADED, MAIN, Bench
from tests.bench.method.results import RAW, Line, read
from tests.bench.method.unit import Cell, measure

INSIDE = Path(__file__).parent.parent.parent / "inside"
#: steps of a base and of a target
STEPS, QUICK = (800, 600), (8, 8)
#: arms of a quick look
_FEW = (*MAIN, "naive-no-up", "distilled", "refine")


def with_nano(trainer: Installation, folder: Path) -> Installation:
    """Have sd-scripts read the nano: its tokenizer, and its widths."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = folder / "openai_clip-vit-large-patch14"
    if not tokenizer.exists():
        tokenizer.symlink_to(NANO / "tokenizer")
    python = folder / "python"
    variables = {"PYTHONPATH": INSIDE / "parity", "PARITY_UNET": NANO / "unet" / "config.json"}
    words = " ".join(f'{name}="{value}"' for name, value in variables.items())
    python.write_text(f'#!/bin/sh\n{words} exec "{trainer.python}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return replace(trainer, python=python, tokenizers=folder)


def machine() -> dict[str, str]:
    """Say what this was measured on."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return {
        "commit": asked.stdout.strip(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def main() -> None:
    """Read the command line and measure what is missing."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.method", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few arms, a few steps, nothing kept in the project")
    parser.add_argument("--units", type=int, default=12)
    parser.add_argument("--arms", help="names, with commas; left out, all")
    parser.add_argument("--sd-scripts", action="store_true", help="the main arms, by the real train_network.py")
    parser.add_argument("--folder", type=Path, default=Path("out/method"))
    given = parser.parse_args()
    folder: Path = given.folder.absolute()
    trainer = with_nano(find_trainer(), folder / "tokenizers") if given.sd_scripts else find_trainer("embedded")
    trainer.require("sd15")
    arms = {key: ARMS[key] for key in MAIN} | {"loaded": LOADED} if given.sd_scripts else ARMS
    names = given.arms.split(",") if given.arms else [*(_FEW if given.quick else arms)]
    if strangers := [name for name in names if name not in arms]:
        parser.error(f"found {strangers[0]!r}, expected arms: {', '.join(arms)}")
    bench = Bench(Store(folder / "store"), trainer, folder / "renders", QUICK if given.quick else STEPS)
    raw = folder / RAW.name if given.quick else RAW
    before = read(raw)
    here = {(one.trainer, one.unit, one.arm, one.recipe) for one in before}
    about = machine()
    cells = [
        Cell(unit, name, arms[name], bench, 0.25 if given.quick else 1.0, raw, about)
        for unit in range(1 if given.quick else given.units)
        for name in names
        if (trainer.engine, unit, name, arms[name].digest) not in here
    ]
    for count, line in enumerate(measure(cells) if cells else (), 1):
        before.append(line)
        print(f"{count}/{len(cells)} unit {line.unit} {line.arm}: {line.measures}")
        print(f"  about {_left(cells[count:], before) / 60:.0f} minutes left", flush=True)
    print(raw)


def _left(cells: Sequence[Cell], lines: Sequence[Line]) -> float:
    """Estimate seconds from those of the same arm, or of all."""
    of = {cell.name: [line.seconds for line in lines if line.arm == cell.name and line.seconds] for cell in cells}
    every = [line.seconds for line in lines if line.seconds] or [0.0]
    return float(sum(np.mean(of[cell.name] or every) for cell in cells) / len(os.sched_getaffinity(0)))


if __name__ == "__main__":
    main()
