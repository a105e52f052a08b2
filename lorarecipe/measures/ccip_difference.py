"""How unlike itself a character is, as CCIP sees it."""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick

KEY = "ccip"
TITLE = "ccip"
MEANING = "CCIP's difference from the renders; lower means more alike"
FORM = ".2f"
VERSION = 1
NEEDS = "ccip"


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:
    """Ask the model for the mean difference from the renders."""
    return yardstick.ccip.difference(drawn.path)
