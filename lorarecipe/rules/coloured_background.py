"""The background is not white.

Why is this bad?
----------------
White must be the one background of both phases: a tint, a floor or a shadow that differs is learned together with the
character, and shows in every picture.

White is L* >= 97 and C* < 3 (sRGB 247 and above). It is measured round the figure, two pixels away from it on a copy
of 96 pixels, where at most 5 % may be off; and in the corners that no figure reaches: all of them with ``full body``,
the upper two otherwise, none with ``close-up``.

Example
-------
``aoi/full_front.png``: ``on grey``

Use instead
-----------
``aoi/full_front.png``: ``on white``
"""

from __future__ import annotations

from collections.abc import Iterator
from math import hypot

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import readable, shows_its_background, stands_on_white

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the background round every figure, and at the edge."""
    for picture in readable(dataset):
        if shows_its_background(picture) and not stands_on_white(picture):
            look = picture.look
            chroma = hypot(*look.ground[1:])
            found = f"found {look.off_white:.0%} of the background off white"
            corners = f", and corners of L* {look.ground[0]:.0f}, C* {chroma:.0f}" if any(look.corners) else ""
            yield Finding(picture.path, 1, 1, f"{found}{corners}; expected L* >= 97 and C* < 3")
