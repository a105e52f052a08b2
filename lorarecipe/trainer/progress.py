"""Read a training's progress from what it prints. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lorarecipe.events import Progress

_BAR = re.compile(r"^steps:\s+\d+%\|[^|]*\|\s*(\d+)/(\d+)\s+\[([^\]]*)\]")
_LOSS = re.compile(r"avr_loss=([-+0-9.eE]+|nan|inf)")
_LEFT = re.compile(r"<(?:(\d+):)?(\d+):(\d+)")
_EPOCH = re.compile(r"^epoch (\d+)/(\d+)")


def read_progress(key: str, lines: Iterable[str]) -> Iterator[Progress]:
    """Turn the lines of a training (split at CR and LF) into progress, one event a step.

    tqdm's bar counts the steps; the epoch stands on a line of its own before them.
    """
    epoch = epochs = 0
    last = None
    for line in lines:
        if told := _EPOCH.match(line):
            epoch, epochs = int(told[1]), int(told[2])
        elif bar := _BAR.match(line):
            loss, left = _LOSS.search(bar[3]), _LEFT.search(bar[3])
            progress = Progress(
                key=key,
                step=int(bar[1]),
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
