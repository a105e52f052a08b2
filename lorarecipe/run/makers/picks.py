"""Copy the drawn pictures that the author picked."""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.events import Event
from lorarecipe.plan import PickStage
from lorarecipe.run.makers.data import prove
from lorarecipe.run.makers.maker import Attempt, begin_anew
from lorarecipe.trainer import stage_picks

__all__ = ["make", "prepare", "prove"]

prepare = begin_anew


def make(stage: PickStage, attempt: Attempt) -> Iterator[Event]:
    """Write the copies, each with its prompt for a caption."""
    stage_picks(stage, attempt.store.path(stage.drawn.short), attempt.folder)
    yield from ()
