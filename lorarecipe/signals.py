"""Signals: each ends the program; but while a training holds them, the first only asks it to pause.

They arrive in the main thread alone. Trainings may go on in several threads, and each holds the signals for itself.
"""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from lorarecipe.errors import Interrupted

#: signals that end a program, as far as this system has them
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@dataclass
class _State:
    holding: Counter[int] = field(default_factory=Counter)
    """How often each thread holds the signals, by its identifier."""
    asked: int | None = None
    pausing: frozenset[int] = frozenset()
    """Threads that held the signals when the first one came."""


_state = _State()


def install() -> None:
    """Have the signals that end a program raise ``Interrupted`` in its main thread."""
    _state.holding, _state.asked, _state.pausing = Counter(), None, frozenset()
    for signum in SIGNALS:
        signal.signal(signum, _handle)


@contextmanager
def hold() -> Iterator[None]:
    """Have the first signal wait; ``asked`` tells it. A second one is raised."""
    thread = threading.get_ident()
    _state.holding[thread] += 1
    try:
        yield
    finally:
        _state.holding[thread] -= 1


def asked() -> int | None:
    """Give the signal that waits, or None."""
    return _state.asked


def pauses(thread: int) -> bool:
    """Tell whether a thread held the signals when the one came that waits: it ends its stage by itself."""
    return thread in _state.pausing


def _handle(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    # a copy, since other threads go on
    holding = frozenset(thread for thread, times in list(_state.holding.items()) if times > 0)
    if holding and _state.asked is None:
        _state.asked, _state.pausing = signum, holding
        return
    for later in SIGNALS:
        signal.signal(later, signal.SIG_IGN)  # the trainer is being stopped; that takes a second
    raise Interrupted(signum)
