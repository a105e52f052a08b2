"""Several transfers at once, which whoever waits for them can leave at any time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from threading import Event, Lock, Thread

#: bytes that have come since the last call; what it raises ends the transfer
OnBytes = Callable[[int], None]
#: transfers at once
_MOST = 8
#: seconds between two looks at how much has come, and that a transfer has to end in
_BETWEEN, _PATIENCE = 0.5, 2.0


class _LeftError(Exception):
    """Nobody waits for the transfer any more."""


class _Transfers:
    """What the threads share."""

    def __init__(self, jobs: Sequence[Callable[[OnBytes], None]]) -> None:
        self.jobs, self.came = deque(jobs), 0
        self.failures: list[BaseException] = []
        self.left, self.done = Event(), Event()
        self._lock, self._threads = Lock(), min(_MOST, len(jobs))
        # a transfer that gets no answer does not look whether it is waited for: threads that Python's end waits for
        # would keep a program that was stopped
        self.threads = [Thread(target=self._work, name="transfer", daemon=True) for _ in range(self._threads)]

    def _on_bytes(self, size: int) -> None:
        if self.left.is_set():
            raise _LeftError
        with self._lock:
            self.came += size

    def _work(self) -> None:
        try:
            while (job := self._next()) and not self.left.is_set():
                job(self._on_bytes)
        except BaseException as problem:  # raised where it is waited for
            self.failures.append(problem)
            self.done.set()
        with self._lock:
            self._threads -= 1
            if not self._threads:
                self.done.set()

    def _next(self) -> Callable[[OnBytes], None] | None:
        with self._lock:
            return self.jobs.popleft() if self.jobs else None


def in_threads(jobs: Sequence[Callable[[OnBytes], None]]) -> Generator[int, None, None]:
    """Do all jobs; yields how many bytes have come, twice a second, and raises the first failure."""
    if not jobs:
        return
    shared = _Transfers(jobs)
    for thread in shared.threads:
        thread.start()
    try:
        while not shared.done.wait(_BETWEEN):
            yield shared.came
    finally:
        shared.left.set()
        until = time.monotonic() + _PATIENCE
        for thread in shared.threads:
            thread.join(max(0.0, until - time.monotonic()))
    if shared.failures:
        raise shared.failures[0]
    yield shared.came
