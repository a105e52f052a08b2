"""Run lorarecipe with its file operations counted, and be killed before one of them.

``python -m tests.faults.driver ROOT LOG POINT DAYS WORDS...`` writes the name of every operation under ROOT into LOG, as
it comes: who does it (function and file), what, and to which path, keys and numbers left out. Before the one whose name
is POINT, the whole process group is killed. DAYS sets the clock on, or back.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

import time_machine

import lorarecipe
from lorarecipe.cli import entry
from lorarecipe.report import write

#: Python's audit events of what changes a folder; fsync has none, and is added below
_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate", "os.link", "os.symlink"}
_PACKAGE = str(Path(lorarecipe.__file__).parent)


class Points:
    """Names the operations, and kills at one."""

    def __init__(self, root: str, log: str, point: str) -> None:
        self.root, self.point = root, point
        self.log = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        writes = event != "open" or (isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR))
        path = str(Path(os.fsdecode(arguments[0])).absolute())
        if writes and path.startswith(self.root):
            self.at(event.removeprefix("os."), path)

    def at(self, event: str, path: str) -> None:
        caller, library = _caller(sys._getframe())
        name = f"{caller} by {library}" if library else f"{caller} {event} {_pattern(path[len(self.root) :])}"
        os.write(self.log, f"{name}\n".encode())
        if name == self.point:
            os.killpg(0, signal.SIGKILL)


def _caller(frame: FrameType | None) -> tuple[str, str]:
    """Give our function that an operation comes from, and the library in between, if there is one."""
    library = ""
    while frame and not (file := frame.f_code.co_filename).startswith(_PACKAGE):
        _, _, inner = file.rpartition("site-packages" + os.sep)
        library = Path(inner).parts[0] if inner != file else library
        frame = frame.f_back
    return (f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_qualname}" if frame else "?"), library


def _pattern(path: str) -> str:
    path = re.sub(r"\.[0-9a-f]+-\d+-\d+\.part", ".part", path)
    path = re.sub(r"-[0-9a-f]{16}\b", "-KEY", path)
    path = re.sub(r"\b[0-9a-f]{32}\b", "KEY", path)
    path = re.sub(r"\.tfevents\..*", ".tfevents", path)  # with times, and the machine's name
    path = re.sub(r"runs/\d{4}-\d{8}-[0-9a-f]{4}", "runs/RUN", path)
    return re.sub(r"\b\d+(?=[./-])|(?<=/)\d+$", "N", path)


def main(root: str, log: str, point: str, days: str, *words: str) -> None:
    points = Points(root, log, point)
    flush = os.fsync

    def fsync(handle: Any) -> None:
        points.at("fsync", str(Path(f"/proc/self/fd/{handle}").readlink()))
        flush(handle)

    vars(os)["fsync"] = fsync
    vars(write)["_APART"] = 0.0  # a fast machine too writes a page while the run goes on
    sys.addaudithook(points.hear)
    sys.argv = ["lorarecipe", *words]
    with time_machine.travel(time.time() + 86400 * float(days)):
        entry()


if __name__ == "__main__":
    main(*sys.argv[1:])
