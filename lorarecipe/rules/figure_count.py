"""An image shows no figure, or several.

Why is this bad?
----------------
An empty image teaches an empty page. Two views on one sheet teach that the character comes in twos.

Example
-------
``aoi/full_front.png``: ``two figures``

Use instead
-----------
``aoi/full_front.png``: ``one figure``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.errors import count
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import readable, stands_on_white, zoom_of

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Count the parts that stand side by side."""
    for picture in readable(dataset):
        number = picture.look.figures
        if number != 1 and stands_on_white(picture) and (zoom_of(picture) != "close-up" or not number):
            figures = count(number, "figure") if number else "no figure"
            do = "render each view into a picture of its own" if number else "look at the camera and the visible layers"
            yield Finding(picture.path, 1, 1, f"found {figures}, expected one; {do}")
