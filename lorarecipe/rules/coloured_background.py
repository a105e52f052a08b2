"""The background is not white.

Why is this bad?
----------------
White must be the one background of both phases: a tint, a floor or a shadow that differs is learned together with the
character, and shows in every picture.

White is L* >= 97 and C* < 3 (sRGB 247 and above). Measured are the background round the figure, two pixels away from
it on a copy of 96 pixels (at most 5 % may be off), the corners that no figure reaches (all of them with ``full body``,
the upper two otherwise), and, beside the figure, the outermost line of pixels in full size, where a grid or a frame
shows (correct renders: none; a grid 0.6 to 9 %). In a close-up nothing is judged: hair may fill the frame.

What looks like a shadow round the feet is a warning: 60 % or more of the edge of the figure's lowest 15 % is nearly
white, and 42 to 86 % of it light grey. On shadows of six kinds these were 65 to 80 % and 53 to 80 %; on correct renders
of two figures 1 to 43 % and 2 to 30 %; white shoes have more grey, and a white figure has soft edges everywhere.

Example
-------
``aoi/full_front.png``: ``on grey``

Use instead
-----------
``aoi/full_front.png``: ``on white``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import backdrop_of, falls_apart, readable

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the background round every figure, and at the edge."""
    for picture in readable(dataset):
        fault = backdrop_of(picture)
        if fault and (fault.certain or not falls_apart(picture)):
            severity: Severity = "error" if fault.certain else "warning"
            yield Finding(picture.path, 1, 1, fault.message, severity=severity)
