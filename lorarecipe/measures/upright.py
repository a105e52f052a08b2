"""The pose of the renders."""

from __future__ import annotations

import re

from lorarecipe.measures.measure import Drawn, Yardstick
from lorarecipe.measures.pixels import outline_by_colour
from lorarecipe.measures.renders import nearest

KEY = "upright"
TITLE = "upright"
MEANING = "how much its outline has in common with the nearest render's, where another pose was asked for"
FORM = ".2f"
VERSION = 1
NEEDS = ""
#: words that ask for another pose than the renders'
_POSE = re.compile(
    r"\b(sit|kneel|jump|run|walk|lying|danc|crouch|squat|stretch|looking back|arms? up|legs? up|hands? on)"
)


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:
    """Compare the outline of the character's colours with the nearest render's."""
    if drawn.unrelated or not drawn.weight or not _POSE.search(drawn.prompt) or not yardstick.palette:
        return None
    return nearest(outline_by_colour(drawn.colours, yardstick.palette), yardstick.renders)[0]
