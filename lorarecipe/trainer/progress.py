"""Read a training's progress from what it prints. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from lorarecipe.events import Event, Progress

_BAR = re.compile(r"^steps:\s+\d+%\|[^|]*\|\s*(\d+)/(\d+)\s+\[([^\]]*)\]")
_LOSS = re.compile(r"avr_loss=([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|nan|inf)")
_LEFT = re.compile(r"<(?:(\d+):)?(\d+):(\d+)")
_EPOCH = re.compile(r"^epoch (\d+)/(\d+)")


_E = TypeVar("_E", bound=Event)


def read_progress(key: str, lines: Iterable[str | _E], done: int = 0) -> Iterator[Progress | _E]:
    """Turn the lines of a training (split at CR and LF) into progress, one event a step; events are passed on.

    tqdm's bar counts the steps; the epoch stands on a line of its own before them. ``done`` are steps of an earlier
    process that the bar does not count.
    """
    epoch = epochs = 0
    last = None
    for line in lines:
        if not isinstance(line, str):
            yield line
        elif found := _EPOCH.match(line):
            epoch, epochs = int(found[1]), int(found[2])
        elif bar := _BAR.match(line):
            loss, left = _LOSS.search(bar[3]), _LEFT.search(bar[3])
            progress = Progress(
                key=key,
                step=int(bar[1]) + done,
                steps=int(bar[2]),
                epoch=epoch,
                epochs=epochs,
                loss=float(loss[1]) if loss else None,
                seconds_left=_seconds(left) if left else None,
            )
            if last is None or (progress.step, progress.loss) != (last.step, last.loss):
                yield progress
            last = progress


def _seconds(left: re.Match[str]) -> float:
    return int(left[1] or 0) * 3600.0 + int(left[2]) * 60 + int(left[3])
