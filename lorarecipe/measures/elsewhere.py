"""What the LoRA changes where it is not asked to."""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick
from lorarecipe.measures.pixels import change

KEY = "change_unrelated"
TITLE = "elsewhere"
MEANING = "the same, for prompts that have nothing to do with the character"
FORM = ".1f"
VERSION = 1
NEEDS = ""


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:  # noqa: ARG001 - the form of every measure
    """Give the mean distance (dE76) from the picture without the LoRA."""
    return change(drawn.colours, drawn.bare) if drawn.unrelated and drawn.bare is not None else None
