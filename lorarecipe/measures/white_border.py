"""The white border that the renders have."""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick
from lorarecipe.measures.pixels import white_border

KEY = "white_border"
TITLE = "white border"
MEANING = "how much of the picture's edge is white, where no white background was asked for"
FORM = ".0%"
VERSION = 1
NEEDS = ""
#: tags that ask for the background that all renders have
_PLAIN = ("white background", "simple background")


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:  # noqa: ARG001 - the form of every measure
    """Give the share of white along the edge."""
    if drawn.unrelated or any(tag in drawn.prompt for tag in _PLAIN):
        return None
    return white_border(drawn.colours)
