"""Say when the parts of a result were made, and how long each took: also of what an earlier run has made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from lorarecipe.errors import clock
from lorarecipe.records import Sitting
from lorarecipe.run import StageRecord


def times_of(stage: StageRecord) -> list[str]:
    """Say of each sitting of a stage when it began and how long it took."""
    if not stage.sittings:
        return ["when it was made was not written down"] if stage.outcome == "reused" else []
    return [_words(sitting) for sitting in stage.sittings]


def taken(stages: Iterable[StageRecord], outcome: Literal["made", "reused"]) -> str:
    """Say how many stages were made or reused, and how long they took in all; nothing where none was."""
    those = [stage for stage in stages if stage.outcome == outcome]
    known = [sitting.seconds for stage in those for sitting in stage.sittings if sitting.seconds is not None]
    seconds = sum(known) if known else sum(stage.seconds for stage in those)
    number, length = len(those), length_of(seconds)
    words = {"made": f"{number} made ({length})", "reused": f"{number} reused ({length})"}
    return words[outcome] if those else ""


def length_of(seconds: float) -> str:
    """``75.2`` -> ``0:01:15``; what takes less than ten seconds is given in tenths."""
    return f"{seconds:.1f} s" if seconds < 10 else clock(seconds)


def moment(date: str) -> str:
    """``2026-11-27T22:01:30+00:00`` -> ``2026-11-27 22:01:30 UTC``; another text stays as it is."""
    try:
        return f"{datetime.fromisoformat(date):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return date


def _words(sitting: Sitting) -> str:
    began = moment(sitting.began)
    length = "how long it took is not known, as the process was killed"
    if sitting.seconds is not None:
        length = f"took {length_of(sitting.seconds)}"
    if sitting.after:
        return f"{began}: went on after {sitting.after}, {length}"
    return f"{began}: began, {length}"
