"""What a tagger of booru tags says of the 3D look: a second opinion on real models."""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick

KEY = "3d"
TITLE = "3d"
MEANING = "the tagger's score of the tag `3d`, from 0 to 1"
FORM = ".2f"
VERSION = 1
NEEDS = "tagger"


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:
    """Ask the tagger for its score of `3d`."""
    return yardstick.tagger.scores(drawn.path)[KEY]
