"""An image is turned or mirrored by its EXIF data.

Why is this bad?
----------------
Viewers turn it; sd-scripts does not, and would train on a figure that lies down. The copy that lorarecipe trains on
is upright, so this harms only those who use the folder otherwise.

Example
-------
``aoi/full_front.png``: ``turned by EXIF``

Use instead
-----------
``aoi/full_front.png``: ``turned in its pixels``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import readable

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the orientation."""
    for picture in readable(dataset):
        if (turned := picture.look.orientation) != 1:
            message = f"found EXIF orientation {turned} (trained on upright), expected upright pixels; save it turned"
            yield Finding(picture.path, 1, 1, message)
