"""``arms at sides`` stands on a figure as wide as one in a T or A pose.

Why is this bad?
----------------
Checkpoints know the upright pose by this tag and T and A poses hardly at all (some 26,000 against 400 pictures). Arms
that are spread are then learned as the character's own.

Spread is a figure whose widest row between neck and hips is at least 0.8 of its height; a wide mane counts too.

Example
-------
``aoi/full_front.png``: ``with spread arms``

Use instead
-----------
``aoi/full_front.png``: ``with its arms at its sides``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import figures

SEVERITY: Severity = "warning"


#: spread arms reach as far as the figure is high, arms at 45 degrees 0.85 of it; a twintailed figure of the demo 0.73
_WIDE = 0.8


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the widest row with the height."""
    for zoom, picture in figures(dataset):
        if zoom == "full body" and "arms at sides" in picture.words and picture.look.span >= _WIDE:
            message = f"found a figure {picture.look.span:.2f} times as wide as high, expected its arms at its sides"
            yield Finding(picture.path, 1, 1, message)
