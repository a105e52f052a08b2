"""An image has a colour profile other than sRGB.

Why is this bad?
----------------
The trainer takes the numbers as they are: the colours that are learned are not those that you see.

Example
-------
``aoi/full_front.png``: ``with the profile of another colour space``

Use instead
-----------
``aoi/full_front.png``: ``converted to sRGB``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import readable

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the profile's description."""
    for picture in readable(dataset):
        if picture.look.profile:
            message = f"found the colour profile {picture.look.profile!r}, which the trainer ignores; expected sRGB"
            message += "; convert it to sRGB"
            yield Finding(picture.path, 1, 1, message)
