"""What a tagger of booru tags says of realism: a second opinion on real models."""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick

KEY = "realistic"
TITLE = "realistic"
MEANING = "the tagger's score of the tag `realistic`, from 0 to 1"
FORM = ".2f"
VERSION = 1
NEEDS = "tagger"


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:
    """Ask the tagger for its score of `realistic`."""
    return yardstick.tagger.scores(drawn.path)[KEY]
