"""The shading of a render."""

from __future__ import annotations

from lorarecipe.measures.measure import Drawn, Yardstick
from lorarecipe.measures.pixels import softness

KEY = "look_3d"
TITLE = "3D look"
MEANING = "how softly it is shaded: 0 as the checkpoint does it, 1 as the renders are"
FORM = ".2f"
VERSION = 1
NEEDS = ""
#: difference in softness from which the checkpoint and the renders can be told apart
LEAST = 0.05


def of(drawn: Drawn, yardstick: Yardstick) -> float | None:
    """Place the softness between that of the picture without the LoRA and that of the renders."""
    if drawn.unrelated or drawn.bare is None or (room := yardstick.room(drawn.bare)) <= LEAST:
        return None
    return (softness(drawn.colours) - softness(drawn.bare)) / room
