"""Signals: each ends the program; but while a training holds them, the first only asks it to pause."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from lorarecipe.errors import Interrupted

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@dataclass
class _State:
    held: bool = False
    asked: int | None = None


_state = _State()


def install() -> None:
    """Have the signals that end a program raise ``Interrupted`` in its main thread."""
    _state.held, _state.asked = False, None
    for signum in _SIGNALS:
        signal.signal(signum, _handle)


@contextmanager
def hold() -> Iterator[None]:
    """Have the first signal wait; ``asked`` tells it. A second one is raised."""
    _state.held = True
    try:
        yield
    finally:
        _state.held = False


def asked() -> int | None:
    """Give the signal that waits, or None."""
    return _state.asked


def _handle(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    if _state.held and _state.asked is None:
        _state.asked = signum
        return
    for later in _SIGNALS:
        signal.signal(later, signal.SIG_IGN)  # the trainer is being stopped; that takes a second
    raise Interrupted(signum)
