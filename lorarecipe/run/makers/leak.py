"""Measure what a LoRA brings along besides its character."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lorarecipe.events import Event
from lorarecipe.plan import LeakStage
from lorarecipe.run.leak import leak_in, write_leak
from lorarecipe.run.makers.maker import Attempt, begin_anew

prepare = begin_anew


def make(stage: LeakStage, attempt: Attempt) -> Iterator[Event]:
    """Measure every picture."""
    write_leak(stage, attempt.folder, attempt.store)
    yield from ()


def prove(stage: LeakStage, attempt: Attempt) -> dict[str, Any]:  # noqa: ARG001 - the record says it
    """Count the pictures."""
    return {"pictures": len(leak_in(attempt.folder)["pictures"])}
