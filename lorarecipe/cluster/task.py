"""What runs in a process of Ray's, on any machine of the cluster."""

from __future__ import annotations

import _thread
import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from lorarecipe import __version__, signals
from lorarecipe.errors import CheckFailed, Interrupted, LorarecipeError, MachineNotReady, TrainingFailed
from lorarecipe.events import Event
from lorarecipe.files import home
from lorarecipe.plan import Stage
from lorarecipe.run import Here
from lorarecipe.run.workers import Changed
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer

#: seconds between two looks whether the run is to stop
_LOOK = 1.0
_THREADS = "OMP_NUM_THREADS"
_KINDS = (CheckFailed, MachineNotReady, TrainingFailed)


@dataclass(frozen=True)
class Problem:
    """Why a stage was not made; an error itself does not survive the way from one process to another."""

    code: int
    message: str

    def error(self) -> LorarecipeError:
        """Give the error again."""
        kind = next((kind for kind in _KINDS if kind.exit_code == self.code), TrainingFailed)
        return kind(self.message)


@dataclass(frozen=True)
class Facts:
    """What a machine of the cluster has."""

    version: str
    home: str
    shares: bool
    """Whether it sees the file that the run has written into its own LORARECIPE_HOME."""


def facts(mark: str) -> Facts:
    """Tell what this machine has."""
    return Facts(__version__, str(home()), (home() / mark).exists())


def requirements(engine: str, stages: Sequence[Stage], titles: Mapping[str, str]) -> Problem | None:
    """Look whether stages can be made on this machine."""
    with _threads_as_on_the_machine():
        try:
            _here(engine).require(stages, titles)
        except (LorarecipeError, OSError) as problem:
            return _problem_of(problem)
    return None


def make(engine: str, stage: Stage, title: str, changed: Changed, stop: str) -> Iterator[Event | Problem]:
    """Make a stage on this machine; ``stop`` names what Ray's memory holds once trainings are to pause."""
    with _threads_as_on_the_machine(), _obeying(stop):
        try:
            yield from _here(engine).submit(stage, title, changed)
        except (LorarecipeError, OSError) as problem:
            yield _problem_of(problem)


def _here(engine: str) -> Here:
    return Here(find_trainer(engine), Store(home() / "store"))


def _problem_of(problem: LorarecipeError | OSError) -> Problem:
    code = problem.exit_code if isinstance(problem, LorarecipeError) else MachineNotReady.exit_code
    return Problem(code, str(problem))


@contextmanager
def _threads_as_on_the_machine() -> Iterator[None]:
    """Undo Ray's own setting of OMP_NUM_THREADS: with another number of threads, sums have other last digits."""
    set_by_ray = os.environ.get(_THREADS)
    given = psutil.Process().environ().get(_THREADS)
    if given is None:
        os.environ.pop(_THREADS, None)
    try:
        yield
    finally:
        if set_by_ray is not None:
            os.environ[_THREADS] = set_by_ray


@contextmanager
def _obeying(stop: str) -> Iterator[None]:
    """Turn the wish that trainings pause into the signal that a run on one machine gets; Ray keeps SIGTERM."""
    earlier = {number: signal.getsignal(number) for number in signals.SIGNALS}
    signals.install()
    signal.signal(signal.SIGTERM, earlier[signal.SIGTERM])
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(stop, done), daemon=True)
    watch.start()
    try:
        yield
    finally:
        done.set()
        watch.join()
        for number, handler in earlier.items():
            signal.signal(number, handler)


def _watch(stop: str, done: threading.Event) -> None:
    from ray.exceptions import RayError
    from ray.experimental.internal_kv import _internal_kv_exists

    while not done.wait(_LOOK):
        try:
            asked = _internal_kv_exists(stop)
        except (RayError, RuntimeError, OSError):  # the head is busy or gone: Ray itself ends this process then
            continue
        if asked:
            _thread.interrupt_main(signal.SIGINT)  # Ray blocks the signal itself
            return


def interrupted(code: int) -> bool:
    """Tell whether a problem's code is that of a signal."""
    return code == Interrupted(signal.SIGINT).exit_code
