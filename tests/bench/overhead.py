"""Measure what ``lorarecipe run`` costs over the commands that it launches, within one run.

Usage: python -m tests.bench.overhead, after ``python -m tests.rehearsal``

The rehearsal is run on an empty store. The time of the launched processes, from start to end, is compared with the
time of the whole program, its interpreter's start included.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import psutil

from lorarecipe.cli import main
from lorarecipe.files import home
from lorarecipe.run import execute as _  # noqa: F401 - imported before it is patched
from lorarecipe.trainer import Command, launch

RECIPES = Path(__file__).parent.parent.parent / "recipes" / "rehearsal"
spent = 0.0


def timed(command: Command) -> Generator[str, None, None]:
    """Launch, and add up the time until the process has ended."""
    global spent
    start = time.monotonic()
    yield from launch(command)
    spent += time.monotonic() - start


def measure() -> None:
    """Run the rehearsal and print the shares."""
    trainers = home() / "trainers"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "trainers").symlink_to(trainers)
        os.environ["LORARECIPE_HOME"] = folder
        sys.modules["lorarecipe.run.execute"].launch = timed  # type: ignore[attr-defined]
        words = ["run", str(RECIPES / "akane.toml"), str(RECIPES / "midori.toml"), "--out", f"{folder}/out"]
        main(words, standalone_mode=False)
        total = time.time() - psutil.Process().create_time()
    print(f"launched processes {spent:.1f} s, whole run {total:.1f} s, overhead {(total - spent) / spent:.2%}")


if __name__ == "__main__":
    measure()
