"""What the LoRA changes."""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick
from lorarecipe.measures.pixels import change

KEY = "change"
TITLE = "change"
MEANING = "how far the picture is from the one without the LoRA"
FORM = ".1f"
VERSION = 1
NEEDS = ""


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:  # noqa: ARG001 - the form of every measure
    """Give the mean distance (dE76) from the picture without the LoRA."""
    return None if drawn.unrelated or drawn.bare is None else change(drawn.colours, drawn.bare)
