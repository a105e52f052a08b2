"""An image cannot be opened.

Why is this bad?
----------------
sd-scripts ends with a bare ``ZeroDivisionError`` that does not name the file.

Example
-------
``aoi/full_front.png``: ``a web page``

Use instead
-----------
``aoi/full_front.png``: ``a render``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Name the images that the scan could not open."""
    for group in dataset.groups:
        for picture in group.pictures:
            if picture.problem and picture.problem.kind == "unreadable":
                message = f"found no image that can be opened ({picture.problem.message}), expected one"
                message += "; render or download it again"
                yield Finding(picture.path, 1, 1, message)
