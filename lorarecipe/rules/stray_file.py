"""A folder holds something that would not be trained on.

Why is this bad?
----------------
A caption whose image is gone, a misspelt name or a sub-folder looks as if it took part, and does not.

Example
-------
``aoi/1_reg``: ``a folder``

Use instead
-----------
``1_reg``: ``a folder``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Name what is neither an image nor an image's caption."""
    for group in dataset.groups:
        for path in group.strays:
            what = "a folder" if path.is_dir() else "a caption without an image" if path.suffix == ".txt" else "a file"
            yield Finding(path, 1, 1, f"found {what} that is not trained on, expected images and their captions")
