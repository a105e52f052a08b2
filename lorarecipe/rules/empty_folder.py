"""A folder holds no image.

Why is this bad?
----------------
sd-scripts says "No data found" and ends as if all were well.

Example
-------
``aoi``: ``no image``

Use instead
-----------
``aoi``: ``four renders``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import EXTENSIONS, Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Count the images of every folder."""
    for group in dataset.groups:
        if not group.pictures:
            yield Finding(group.folder, 1, 1, f"found no image, expected {', '.join(sorted(EXTENSIONS))} files")
