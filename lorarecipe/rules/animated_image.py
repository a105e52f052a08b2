"""An image has several frames.

Why is this bad?
----------------
Only the first is trained on, and nothing says so.

Example
-------
``aoi/full_front.png``: ``two frames``

Use instead
-----------
``aoi/full_front.png``: ``one frame``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import readable

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Count the frames."""
    for picture in readable(dataset):
        if picture.look.frames > 1:
            yield Finding(
                picture.path, 1, 1, f"found {picture.look.frames} frames, expected one image a file; save one of them"
            )
