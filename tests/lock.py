"""Lock what the tests run with: ``python -m tests.lock`` writes ``vendor/constraints.txt`` from the newest releases.

torch is left out, with what only it brings: machines have a build of their own.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
#: torch and the libraries of its builds
_OWN_BUILD = re.compile(r"torch|triton|nvidia-.*|cuda-.*")


def main() -> None:
    """Have pip resolve the development environment anew, without installing it."""
    words = ["install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-", "-e", f"{ROOT}[dev]"]
    done = subprocess.run([sys.executable, "-m", "pip", *words], check=True, stdout=subprocess.PIPE, text=True)
    packages = [entry["metadata"] for entry in json.loads(done.stdout)["install"]]
    lines = [
        f"{package['name'].lower()}=={package['version']}"
        for package in packages
        if package["name"] != "lorarecipe" and not _OWN_BUILD.fullmatch(package["name"].lower())
    ]
    head = "# what the tests run with; made anew by: python -m tests.lock"
    (ROOT / "vendor" / "constraints.txt").write_text("\n".join([head, *sorted(lines)]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
