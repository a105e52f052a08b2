"""Measure what ``lorarecipe run`` costs over the commands that it launches, within one run.

Usage: python -m tests.bench.overhead [STEPS], after ``python -m tests.rehearsal``

The rehearsal is run on an empty store, with as many steps a training as is said (20 unless it is). The time of the launched processes, from start to end, is compared with the
time of the whole program, its interpreter's start included.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil

from lorarecipe.cli import main
from lorarecipe.files import home
from lorarecipe.plan import MergeStage
from lorarecipe.run import execute as _  # noqa: F401 - imported before it is patched
from lorarecipe.trainer import Command, launch, merge_base

RECIPES = Path(__file__).parent.parent.parent / "recipes" / "rehearsal"
spent = 0.0


def timed(command: Command, *watch: Any) -> Generator[str, None, None]:
    """Launch, and add up the time until the process has ended."""
    global spent
    start = time.monotonic()
    yield from launch(command, *watch)
    spent += time.monotonic() - start


def merged(stage: MergeStage, lora: Path, file: Path) -> None:
    """Merge, and add up the time: by hand it would be a process too."""
    global spent
    start = time.monotonic()
    merge_base(stage, lora, file)
    spent += time.monotonic() - start


def measure(steps: int) -> None:
    """Run the rehearsal and print the shares."""
    trainers = home() / "trainers"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(RECIPES, folder / "recipes", ignore=shutil.ignore_patterns("*.safetensors"))
        for path in (folder / "recipes").glob("*.toml"):
            path.write_text(re.sub(r"steps = \d+", f"steps = {steps}", path.read_text("utf-8")), encoding="utf-8")
        (folder / "recipes" / "checkpoint.safetensors").symlink_to(RECIPES / "checkpoint.safetensors")
        (folder / "trainers").symlink_to(trainers)
        os.environ["LORARECIPE_HOME"] = name
        sys.modules["lorarecipe.run.makers.train"].launch = timed  # type: ignore[attr-defined]
        sys.modules["lorarecipe.run.makers.sample"].launch = timed  # type: ignore[attr-defined]
        sys.modules["lorarecipe.run.makers.merge"].merge_base = merged  # type: ignore[attr-defined]
        recipes = [str(folder / "recipes" / f"{character}.toml") for character in ("akane", "midori")]
        main(["run", *recipes, "--out", f"{name}/out"], standalone_mode=False)
        total = time.time() - psutil.Process().create_time()
    share = (total - spent) / total
    print(f"trainings, samples and merge {spent:.1f} s, whole run {total:.1f} s, overhead {share:.2%} of the wall time")


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
