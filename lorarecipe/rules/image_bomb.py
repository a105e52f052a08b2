"""An image would fill the memory.

Why is this bad?
----------------
A small file can unfold to gigabytes of pixels. It is not decoded: a render has one to four million pixels.

Example
-------
``aoi/full_front.png``: ``9000x9000 pixels``

Use instead
-----------
``aoi/full_front.png``: ``1024x1024 pixels``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Name the images that were left closed."""
    for group in dataset.groups:
        for picture in group.pictures:
            if picture.problem and picture.problem.kind == "bomb":
                message = f"found an image that is too large to open ({picture.problem.message}), expected a render"
                message += "; save it smaller"
                yield Finding(picture.path, 1, 1, message)
