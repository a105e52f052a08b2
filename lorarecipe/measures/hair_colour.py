"""The colour of the character's hair."""

from __future__ import annotations

import numpy as np

from lorarecipe.measures.measure import Drawn, Yardstick

KEY = "hair_colour"
TITLE = "hair colour off"
MEANING = "how far the middle colour of its hair is from the renders'"
FORM = ".1f"
VERSION = 1
NEEDS = ""


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:
    """Give the distance (dE76) of the median of what has about the hair's colour; None where nothing has."""
    if drawn.unrelated or yardstick.hair is None or not (hair := yardstick.hair_on(drawn.colours)).any():
        return None
    return float(np.linalg.norm(np.median(drawn.colours[hair], axis=0) - yardstick.hair))
