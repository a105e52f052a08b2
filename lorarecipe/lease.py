"""Leases: who works in a folder, and when there was a last sign of life, also for other containers and hosts to read.

A process number says something only on the machine that it is of, so a lease names that too: the host, its boot and the
space of process numbers (a container has its own). On the same machine the process itself is looked up; of any other,
the lease ends when there was no sign of life for five minutes: the file's time says when the last one was. The clocks
of hosts that share a folder have to agree within that.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from lorarecipe.files import canonical_json, machine, read_json, write_atomic

#: seconds between two signs of life, and without one until a lease ends
_BEAT, _SILENCE = 20.0, 300.0
#: seconds that a process's beginning may seem to move when the clock is set
_MOVED = 5.0


@dataclass(frozen=True)
class Lease:
    """Somebody at work."""

    host: str
    """For people."""
    machine: str
    """Host, boot and space of process numbers; see ``files.machine``."""
    process: int
    started: float
    """When the process began, seconds since 1970: process numbers are used again."""
    seen: float
    """Last sign of life, seconds since 1970."""

    @property
    def is_here(self) -> bool:
        """Whether its process can be looked up."""
        return self.machine == machine()

    @property
    def lives(self) -> bool:
        """Whether whoever holds it is still at work."""
        if not self.is_here:
            return time.time() - self.seen < _SILENCE
        try:
            return abs(psutil.Process(self.process).create_time() - self.started) < _MOVED
        except psutil.Error:
            return False


def read_lease(path: Path) -> Lease | None:
    """Read a lease; None where there is none that can be read."""
    try:
        match read_json(path):
            case {
                "host": str(host),
                "machine": str(where),
                "process": int(process),
                "started": int() | float() as started,
            }:
                return Lease(host, where, process, started, path.stat().st_mtime)
    except (OSError, ValueError):
        pass
    return None


def sign(path: Path) -> None:
    """Write a lease of this process, seen now."""
    process = os.getpid()
    own = {"host": platform.node(), "machine": machine(), "process": process, "started": _started(process)}
    write_atomic(path, canonical_json(own))


@contextmanager
def signing(path: Path) -> Iterator[None]:
    """Hold a lease: give a sign of life every twenty seconds, and remove the lease at the end."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(_BEAT):
            with suppress(OSError):
                os.utime(path)

    sign(path)
    beating = threading.Thread(target=beat, name="lease", daemon=True)
    beating.start()
    try:
        yield
    finally:
        ended.set()
        beating.join()
        path.unlink(missing_ok=True)


@cache
def _started(process: int) -> float:
    return float(psutil.Process(process).create_time())
