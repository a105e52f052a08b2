"""An image cannot be opened.

Why is this bad?
----------------
sd-scripts ends with a bare ``ZeroDivisionError`` that does not name the file.

Example
-------
``a.png`` that is an HTML page

Use instead
-----------
``a.png``, saved anew
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
            if picture.problem:
                yield Finding(picture.path, 1, 1, f"found an image that is {picture.problem}, expected a whole one")
