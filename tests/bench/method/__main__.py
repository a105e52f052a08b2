"""Measure the method's claims in the demo's world, on the original checkpoint.

Usage: python -m tests.bench.method [--quick] [--units N] [--sd-scripts] [--folder FOLDER]

A unit is a target drawn at random and a seed; every arm is trained for it. One process a core, each pinned to its own.
What was trained before is not trained again: a run that was stopped goes on. Results go to
tests/bench/results/method.json (method-sd-scripts.json); with --quick, two arms of a few steps and into the folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from lorarecipe.demo import NANO
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, find_trainer
from tests.bench.method.arms import ARMS, LOADED, MAIN, Bench
from tests.bench.method.unit import measure

RESULTS = Path(__file__).parent.parent / "results"
INSIDE = Path(__file__).parent.parent.parent / "inside"
#: steps of a base and of a target
STEPS, QUICK = (800, 600), (8, 8)


def with_nano(trainer: Installation, folder: Path) -> Installation:
    """Have sd-scripts read the nano: its tokenizer, and its widths."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = folder / "openai_clip-vit-large-patch14"
    if not tokenizer.exists():
        tokenizer.symlink_to(NANO / "tokenizer")
    python = folder / "python"
    told = {"PYTHONPATH": INSIDE / "parity", "PARITY_UNET": NANO / "unet" / "config.json"}
    words = " ".join(f'{name}="{value}"' for name, value in told.items())
    python.write_text(f'#!/bin/sh\n{words} exec "{trainer.python}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    return replace(trainer, python=python, tokenizers=folder)


def machine() -> dict[str, Any]:
    """Say what this was measured on."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "commit": commit,
        "cores": len(os.sched_getaffinity(0)),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def main() -> None:
    """Read the command line and write the results."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.method", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two arms, a few steps, nothing kept in the project")
    parser.add_argument("--units", type=int, default=6)
    parser.add_argument("--sd-scripts", action="store_true", help="the main arms, by the real train_network.py")
    parser.add_argument("--folder", type=Path, default=Path("out/method"))
    given = parser.parse_args()
    folder: Path = given.folder.absolute()
    real = given.sd_scripts
    name = "method-sd-scripts.json" if real else "method.json"
    trainer = with_nano(find_trainer(), folder / "tokenizers") if real else find_trainer("embedded")
    trainer.require("sd15")
    arms = {key: ARMS[key] for key in MAIN} | {"loaded": LOADED} if real else ARMS
    if given.quick:
        arms = {key: ARMS[key] for key in (*MAIN, "naive-no-up", "distilled")}
    bench = Bench(Store(folder / "store"), trainer, folder / "renders", QUICK if given.quick else STEPS)
    steps = {"base": bench.steps[0], "target": bench.steps[1]}
    result: dict[str, Any] = {"trainer": trainer.engine, "steps": steps, **machine(), "units": []}
    path = (folder if given.quick else RESULTS) / name
    for told in measure(bench, 1 if given.quick else given.units, arms, 0.25 if given.quick else 1.0):
        result["units"].append(told)
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
