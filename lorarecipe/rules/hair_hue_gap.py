"""The base's hair leaves a large gap on the circle of hues.

Why is this bad?
----------------
A target whose hue lies in the gap is far from all that the base has seen.

Hues are measured from the renders, of colours with C* of 25 or more. The method's own five leave 151 degrees between
green and blue, and serve; the gap may be 160.

Example
-------
``base``: ``hair in red, yellow, green, white, black``

Use instead
-----------
``base``: ``hair in red, green, blue, white, black, yellow``
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import atan2, degrees, hypot

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.rules.shots import base_hair

SEVERITY: Severity = "warning"


_LEAST_CHROMA, _WIDEST = 25.0, 160.0
#: hue angle in L*a*b* -> name
_HUES = {20: "pink", 40: "red", 65: "orange", 95: "yellow", 140: "green", 200: "aqua", 285: "blue", 315: "purple"}


def check(dataset: Dataset) -> Iterator[Finding]:
    """Go round the circle."""
    hues = sorted(
        degrees(atan2(b, a)) % 360 for _, a, b in base_hair(dataset) if hypot(float(a), float(b)) >= _LEAST_CHROMA
    )
    for one, other in pairwise([*hues, *(hue + 360 for hue in hues[:1])]):
        if other - one > _WIDEST:
            middle = (one + other) / 2 % 360
            name = min(_HUES.items(), key=lambda hue: abs((hue[0] - middle + 180) % 360 - 180))[1]
            message = f"found no hair from a hue of {one % 360:.0f} degrees up to {other % 360:.0f} (round the circle)"
            yield at_key(dataset.recipe, ("base", "characters"), f"{message}, expected one between; add {name} hair")
