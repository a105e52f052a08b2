"""``arms at sides`` stands on a figure in a T or A pose.

Why is this bad?
----------------
Checkpoints know the upright pose by this tag and T and A poses hardly at all (some 26,000 against 400 pictures). Arms
that are spread are then learned as the character's own.

Spread are arms that reach farther than the trunk by 0.12 of the figure's height or more on both sides, and are slender:
the outer end (beyond 0.6 of that length) is at most 0.6 of it thick. Measured: T poses 0.25 to 0.40 and 0.2 to 0.44, an
A pose at 45 degrees 0.26 and 0.54; no arms are wings (0.37 and 0.70), a wide hat (0.24 and 0.74), twintails (0.15 and
1.6), arms at the sides (0.08 to 0.12 and 2.5 or more). The short arms of a chibi figure in an A pose (0.16 and 1.0) are
known from the character's other full shots from the front or the back: at the height of the hands the figure is at
least 0.6 wide, and 1.4 times as wide as in most of them (0.71 beside 0.48; the same figure with a wide hat 0.33, wide
skirts up to 0.5).

Example
-------
``aoi/full_front.png``: ``with spread arms``

Use instead
-----------
``aoi/full_front.png``: ``with its arms at its sides``
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median

from lorarecipe.dataset import Dataset, Picture
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import figures

SEVERITY: Severity = "warning"


#: how much farther than the trunk both arms reach, in heights of the figure, and thickness of their ends over that
_LONG, _SLENDER = 0.12, 0.6
#: width at the height of the hands: over the median of the character's own, and in heights of the figure
_WIDER, _WIDE = 1.4, 0.6
#: words of names that say a view in which arms at the sides are seen beside the trunk
_FACING = re.compile(r"(?<![a-z])(front|back|behind)(?![a-z])")


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for arms on both sides of every figure, and compare it with the character's other shots."""
    upright = {picture.path for zoom, picture in figures(dataset) if zoom == "full body" and picture.look.figures == 1}
    for group in dataset.groups:
        shots = [picture for picture in group.pictures if picture.path in upright]
        usual = median([picture.look.hands for picture in shots if _faces(picture)] or [0.0])
        for picture in shots:
            wide = _faces(picture) and picture.look.hands >= max(_WIDE, _WIDER * usual)
            if "arms at sides" in picture.words and (wide or _stretched(picture)):
                message = (
                    f"found a figure {picture.look.span:.2f} times as wide as high, expected its arms at its sides; "
                    "lower the arms before rendering"
                )
                yield Finding(picture.path, 1, 1, message)


def _faces(picture: Picture) -> bool:
    return _FACING.search(picture.path.stem.lower()) is not None


def _stretched(picture: Picture) -> bool:
    length, thickness = picture.look.limbs or (0.0, 0.0)
    return length >= _LONG and thickness <= _SLENDER
