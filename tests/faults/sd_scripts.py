"""``python -m tests.faults.sd_scripts``: a full-size SD1.5 on the real sd-scripts, killed in the middle of each phase.

Needs ``lorarecipe setup``; about six minutes on two cores. The checkpoint has random weights: it shows that everything
goes on, not that anything is learned. Exits with 1 when a number differs from those of a run that nobody disturbed.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lorarecipe.files import home
from lorarecipe.weights import Weights
from tests import rehearsal

_RECIPE = "akane.toml"
_Event = dict[str, Any]


def _in(phase: str, epoch: int) -> Callable[[_Event, str], bool]:
    return lambda event, title: title.startswith(phase) and event["event"] == "progress" and event["epoch"] >= epoch


#: the phase, the moment, and the signal
MOMENTS: tuple[tuple[str, Callable[[_Event, str], bool], signal.Signals], ...] = (
    ("base, in its second epoch", _in("base", 2), signal.SIGKILL),
    ("merge, after a second", lambda event, title: "merged into" in title, signal.SIGKILL),
    ("target, in its first epoch", _in("target", 1), signal.SIGINT),
    ("target, in its second epoch", _in("target", 2), signal.SIGKILL),
)


def _start(folder: Path, own_home: Path) -> subprocess.Popen[str]:
    (own_home / "trainers").parent.mkdir(exist_ok=True)
    if not (own_home / "trainers").exists():
        (own_home / "trainers").symlink_to(home() / "trainers")
    return subprocess.Popen(
        [sys.executable, "-m", "lorarecipe", "run", _RECIPE, "--json", "--out", str(own_home / "out")],
        cwd=folder,
        env=os.environ | {"LORARECIPE_HOME": str(own_home)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _run(folder: Path, own_home: Path, stop: Callable[[_Event, str], bool], signum: signal.Signals) -> int:
    """Run until the moment, and tell what goes on from where."""
    running, title, sent = _start(folder, own_home), "", False
    assert running.stdout
    for line in running.stdout:
        event = json.loads(line)
        if event["event"] == "started":
            title = event["title"]
        if event["event"] in {"started", "paused", "reused"}:
            told = event.get("why", "").partition("; goes on ")
            print(f"  {event['event']:8} {event['title']}" + (f": goes on {told[2]}" if told[2] else ""), flush=True)
        if not sent and stop(event, title):
            time.sleep(1 if event["event"] == "started" else 0)
            os.killpg(running.pid, signum)
            sent = True
    return running.wait()


def main(folder: Path) -> int:
    """Disturb one run, leave another alone, and compare."""
    rehearsal.checkpoint(rehearsal.FOLDER / "checkpoint.safetensors")
    rehearsal.renders(folder / "renders")
    for recipe in rehearsal.FOLDER.glob("*.toml"):
        shutil.copy(recipe, folder)
    (folder / "checkpoint.safetensors").symlink_to(rehearsal.FOLDER / "checkpoint.safetensors")
    for what, stop, signum in MOMENTS:
        code = _run(folder, folder / "disturbed", stop, signum)
        print(f"{signum.name} in the {what}: exit code {code}", flush=True)
    codes = [_run(folder, folder / name, lambda *_: False, signal.SIGKILL) for name in ("disturbed", "whole")]
    unlike, compared = [], 0
    for path in sorted((folder / "whole" / "store").glob("*/*.safetensors")):
        one, other = Weights(path), Weights(folder / "disturbed" / path.relative_to(folder / "whole"))
        same = one.names == other.names and all(np.array_equal(one.read(n), other.read(n)) for n in one.names)
        unlike += [] if same else [str(path.relative_to(folder / "whole"))]
        compared += 1
    print(f"killed {len(MOMENTS)} times; {compared} files of weights compared with a run that nobody disturbed")
    print(f"unlike: {unlike or 'none'}")
    return int(bool(unlike) or any(codes) or not compared)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        sys.exit(main(Path(made)))
