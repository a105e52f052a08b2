"""The character's hairstyle, as the shape of what has the colour of its hair.

``python -m tests.bench.method.hairstyle`` prints how well it ranks what the bench's targets drew: of pairs of pictures,
one with the right hairstyle as the judge reads it and one with another, the share that comes in this order.
"""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick
from lorarecipe.measures.pixels import overlap, shape_of

KEY = "hairstyle"
TITLE = "hairstyle off"
MEANING = "how little the shape of its hair has in common with the nearest render's, from 0 to 1"
FORM = ".2f"
VERSION = 1
NEEDS = ""


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:
    """Compare the shape of what has the hair's colour, wherever it is and however large, with that of each render."""
    shapes = yardstick.hair_shapes
    if drawn.unrelated or yardstick.hair is None or not shapes:
        return None
    shape = shape_of(yardstick.hair_on(drawn.colours))
    return 1.0 if shape is None else 1 - max(overlap(shape, other) for other in shapes)
