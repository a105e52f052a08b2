"""Compare the start of ``lorarecipe --help`` with the import of pydantic and rich, in turns, best of ten each.

Usage: python -m tests.bench.startup
"""

from __future__ import annotations

import subprocess
import sys
import time

COMMANDS = {
    "lorarecipe --help": [sys.executable, "-m", "lorarecipe", "--help"],
    "import pydantic, rich": [sys.executable, "-c", "import pydantic, rich"],
}


def measure() -> None:
    """Print both times and their ratio."""
    best = dict.fromkeys(COMMANDS, float("inf"))
    for _ in range(10):
        for name, words in COMMANDS.items():
            start = time.monotonic()
            subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
            best[name] = min(best[name], time.monotonic() - start)
    ours, theirs = best.values()
    print(
        "".join(f"{name}: {seconds * 1000:.0f} ms\n" for name, seconds in best.items()) + f"ratio {ours / theirs:.2f}"
    )


if __name__ == "__main__":
    measure()
