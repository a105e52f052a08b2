"""The target's hair lies outside the colours that the base's hair spans.

Why is this bad?
----------------
Inside, the base has seen something on every side of it; outside, it must go beyond all that it has seen, and what it
cannot draw becomes a part of the difference. Whether a network really fills in between colours is not known: this is
a rule of thumb.

Measured in L*a*b* from the renders: the distance (dE76) from the target's crown to the convex hull of the base's,
which may be 10.

Example
-------
``base``: ``hair in red, green, blue, white, black``

Use instead
-----------
``base``: ``hair in red, green, blue, white, black, yellow``
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from lorarecipe.colour import lab
from lorarecipe.dataset import Dataset
from lorarecipe.recipe import Recipe
from lorarecipe.recipe.lines import Where
from lorarecipe.rules.finding import Finding, Severity, at_key, target_groups
from lorarecipe.rules.shots import base_hair, hair_of
from lorarecipe.rules.vocabulary import NOMINAL_HAIR

SEVERITY: Severity = "warning"


Colour = npt.NDArray[np.floating]

_FARTHEST = 10.0
_AXES = 3


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the target's crown, in each of its folders, with the nearest mixture of the base's."""
    if colours := base_hair(dataset):
        for where, group in target_groups(dataset):
            if (hair := hair_of(group)) is not None:
                yield from _compare(dataset.recipe, where, hair, colours)


def _compare(recipe: Recipe, where: Where, hair: Colour, colours: Sequence[Colour]) -> Iterator[Finding]:
    if (away := _distance(np.array(colours), hair)) > _FARTHEST:
        left = {name: _distance(np.array([*colours, lab(colour)]), hair) for name, colour in NOMINAL_HAIR.items()}
        best = min(left, key=lambda name: left[name])
        message = (
            f"found hair of L*a*b* ({', '.join(f'{value:.0f}' for value in hair)}), {away:.0f} from all that the "
            f"base's colours span, expected {_FARTHEST:.0f} at most; add a {best}"
        )
        yield at_key(recipe, where, message)


def _distance(colours: Colour, hair: Colour) -> float:
    """From a colour to the convex hull of others: to the nearest of their points, edges, faces and inner tetrahedra."""
    near = math.inf
    for size in range(1, _AXES + 2):
        for origin, *others in combinations(colours, size):
            sides = np.array([other - origin for other in others]).reshape(-1, _AXES)
            shares = np.linalg.lstsq(sides.T, hair - origin)[0]
            if (shares >= 0).all() and shares.sum() <= 1:
                near = min(near, float(np.linalg.norm(origin + shares @ sides - hair)))
    return near
