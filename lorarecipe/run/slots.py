"""Places where stages are made: one in the calling thread, or several side by side, each in a thread of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Protocol, Self

from lorarecipe import signals
from lorarecipe.errors import Interrupted
from lorarecipe.events import Event
from lorarecipe.plan import Stage
from lorarecipe.run.workers import Changed, Worker

#: seconds between two looks for a signal, and after which a thread that has to end is asked again
_LOOK, _PATIENCE = 0.2, 10.0


@dataclass(frozen=True)
class Ended:
    """A stage is no longer being made; ``problem`` is why it has no result."""

    stage: Stage
    problem: Exception | None = None


class Slots(Protocol):
    """Where stages are made. Left as a context, nothing is made any more."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End what is still being made, at once."""

    @property
    def busy(self) -> bool:
        """Whether a stage is being made."""

    def takes(self, stage: Stage) -> bool:
        """Tell whether a stage can begin now."""

    def start(self, stage: Stage, title: str, changed: Changed) -> None:
        """Begin a stage."""

    def next(self) -> Event | Ended:
        """Give what the stages say next."""


def slots_of(workers: Sequence[Worker]) -> Slots:
    """Give a slot for each worker."""
    return _Several(workers) if len(workers) > 1 else _One(workers[0])


class _One:
    """One slot, in the calling thread: the stage goes on whenever its next event is asked for."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._stage: Stage | None = None
        self._making: Generator[Event, None, None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._making:
            self._making.close()

    @property
    def busy(self) -> bool:
        return self._making is not None

    def takes(self, stage: Stage) -> bool:
        return not self.busy and self._worker.takes(stage)

    def start(self, stage: Stage, title: str, changed: Changed) -> None:
        self._stage, self._making = stage, self._worker.submit(stage, title, changed)

    def next(self) -> Event | Ended:
        assert self._stage
        assert self._making
        try:
            return next(self._making)
        except StopIteration:
            ended = Ended(self._stage)
        except Exception as problem:
            ended = Ended(self._stage, problem)
        self._making = None
        return ended


class _Stopped(Interrupted):
    """What a thread is ended with: Python makes it there, without arguments."""

    def __init__(self) -> None:
        super().__init__(signals.asked() or 0)


@dataclass(frozen=True)
class _Job:
    """A stage that a worker makes in a thread."""

    stage: Stage
    worker: Worker
    thread: Thread

    def stop(self) -> None:
        """Raise an exception in the thread, as a signal does in the main thread, which alone gets signals."""
        if self.thread.is_alive():
            thread = ctypes.c_ulong(self.thread.ident or 0)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_Stopped))


class _Several:
    """A slot for each of several workers."""

    def __init__(self, workers: Sequence[Worker]) -> None:
        self._free = [*workers]
        self._jobs: dict[str, _Job] = {}
        self._said: SimpleQueue[Event | Ended] = SimpleQueue()
        self._interrupted: Interrupted | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    @property
    def busy(self) -> bool:
        return bool(self._jobs)

    def takes(self, stage: Stage) -> bool:
        return any(worker.takes(stage) for worker in self._free)

    def start(self, stage: Stage, title: str, changed: Changed) -> None:
        worker = next(worker for worker in self._free if worker.takes(stage))
        self._free.remove(worker)
        # the thread lives as long as the stage's process: Linux ends a guarded process with the thread that started it
        thread = Thread(target=self._make, args=(worker, stage, title, changed), name=stage.short, daemon=True)
        self._jobs[stage.key] = _Job(stage, worker, thread)
        thread.start()

    def next(self) -> Event | Ended:
        while True:
            said: Event | Ended | None
            try:
                said = self._said.get(timeout=_LOOK)
            except Empty:
                said = self._looked()
            except Interrupted as signal:
                self._interrupted = signal
                self._stop()
                continue
            if isinstance(said, Ended):
                job = self._jobs.pop(said.stage.key)
                self._free.append(job.worker)
                return Ended(said.stage, self._interrupted or said.problem if said.problem else None)
            if said:
                return said

    def _make(self, worker: Worker, stage: Stage, title: str, changed: Changed) -> None:
        """Make a stage, in a thread."""
        problem = None
        with suppress(Interrupted):  # it may come where there is no more to end
            try:
                with closing(worker.submit(stage, title, changed)) as making:
                    for event in making:
                        self._said.put(event)
            except Exception as raised:
                problem = raised
            self._said.put(Ended(stage, problem))

    def _looked(self) -> Ended | None:
        """Obey a signal that waits for trainings to pause: what cannot pause ends. Find a thread that died silently."""
        if (signum := signals.asked()) and not self._interrupted:
            self._interrupted = Interrupted(signum)
            for job in self._jobs.values():
                if not signals.pauses(job.thread.ident or 0):
                    job.stop()
        # a thread that was asked to end while it reported its own end
        dead = [job for job in self._jobs.values() if not job.thread.is_alive()]
        return Ended(dead[0].stage, _Stopped()) if dead and self._said.empty() else None

    def _stop(self) -> None:
        """End all threads; what they have said meanwhile can still be asked for."""
        for job in self._jobs.values():
            job.stop()
        for job in self._jobs.values():
            job.thread.join(_PATIENCE)
            while job.thread.is_alive():
                job.stop()
                job.thread.join(_PATIENCE)
