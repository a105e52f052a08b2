"""The character's colours, which the LoRA is for."""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick
from lorarecipe.measures.pixels import palette_distance

KEY = "palette"
TITLE = "colours off"
MEANING = "how far the character's colours are from the nearest in the picture; lower means more alike"
FORM = ".1f"
VERSION = 1
NEEDS = ""


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:
    """Give the mean distance (dE76) of the character's colours from the nearest in the picture."""
    if drawn.unrelated or not yardstick.palette:
        return None
    return palette_distance(drawn.colours, yardstick.palette)
