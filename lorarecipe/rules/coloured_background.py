"""The background is not white.

Why is this bad?
----------------
White must be the one background of both phases: a tint, a floor or a shadow that differs is learned together with the
character, and shows in every picture.

White is L* >= 97 and C* < 3 (sRGB 247 and above). Measured are the background round the figure, two pixels away from
it on a copy of 96 pixels (at most 5 % may be off), the corners that no figure reaches (all of them with ``full body``,
the upper two otherwise), and, beside the figure, the outermost line of pixels in full size, where a grid or a frame
shows (correct renders: none; a grid 0.6 to 9 %; on one edge alone it is a warning). In a close-up nothing is judged:
hair may fill the frame.

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
from pathlib import Path

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.framing import WHOLE, shown_shares
from lorarecipe.rules.shots import backdrop_of, falls_apart, readable, zoom_of

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the background round every figure, and at the edge."""
    faults = {picture.path: fault for picture in readable(dataset) if (fault := backdrop_of(picture))}
    cut = _cut(dataset) if faults else frozenset()
    for picture in readable(dataset):
        fault = faults.get(picture.path)
        if not fault or picture.path in cut or (falls_apart(picture) and not fault.certain):
            continue
        severity: Severity = "error" if fault.certain else "warning"
        yield Finding(picture.path, 1, 1, fault.message, severity=severity)


def _cut(dataset: Dataset) -> frozenset[Path]:
    """Images called ``full body`` that show a part of the figure, which then fills the lower corners (IMG011)."""
    return frozenset(
        picture.path
        for group in dataset.groups
        for shares in [shown_shares(group)]
        for picture in group.pictures
        if zoom_of(picture) == "full body" and shares.get(picture.path, 1.0) <= WHOLE and picture.look.off_white == 0
    )
