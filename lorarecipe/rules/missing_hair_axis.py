"""No hair of the base lies at one end of an axis of colour.

Why is this bad?
----------------
The base learns to draw any hair colour from the few that it sees. The method's author chose them as the ends of L*,
a* and b*: black and white, red and green, blue, and (he noted it missing) yellow. Colours are measured from the
renders, at the crown, since names say little: L* up to 30, or from 70 with C* below 20 (white hair of real renders: 76
to 81); a* or b* of 35 or more, and the larger of the two.

Example
-------
``base``: ``hair in red, green, blue, white, black``

Use instead
-----------
``base``: ``hair in red, green, blue, white, black, yellow``
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.rules.shots import base_hair

SEVERITY: Severity = "warning"


_DARK, _BRIGHT, _GREY, _STRONG = 30.0, 70.0, 20.0, 35.0


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for a colour at each end."""
    colours = [(float(one), float(two), float(three)) for one, two, three in base_hair(dataset)]
    ends = {
        "black": any(lightness <= _DARK for lightness, _, _ in colours),
        "white": any(lightness >= _BRIGHT and hypot(a, b) < _GREY for lightness, a, b in colours),
        "red": any(a >= max(_STRONG, abs(b)) for _, a, b in colours),
        "green": any(-a >= max(_STRONG, abs(b)) for _, a, b in colours),
        "yellow": any(b >= max(_STRONG, abs(a)) for _, a, b in colours),
        "blue": any(-b >= max(_STRONG, abs(a)) for _, a, b in colours),
    }
    lacks = [name for name, found in ends.items() if not found] if colours else []
    if lacks:
        message = f"found no {', '.join(lacks)} among the base's hair as rendered, expected one; add {_some(lacks)}"
        yield at_key(dataset.recipe, ("base", "characters"), message)


def _some(names: list[str]) -> str:
    return " and ".join(f"a {name}" for name in names)
