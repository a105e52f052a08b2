"""Measure what a base has drawn, and give the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lorarecipe.events import Event
from lorarecipe.plan import GateStage
from lorarecipe.run.gate import gate_in, write_gate
from lorarecipe.run.makers.maker import Attempt, begin_anew

prepare = begin_anew


def make(stage: GateStage, attempt: Attempt) -> Iterator[Event]:
    """Measure every picture."""
    write_gate(stage, attempt.folder, attempt.store)
    yield from ()


def prove(stage: GateStage, attempt: Attempt) -> dict[str, Any]:
    """Give the verdict, and on how many pictures."""
    return {"verdict": gate_in(attempt.folder)["verdict"], "pictures": len(stage.pictures.names)}
