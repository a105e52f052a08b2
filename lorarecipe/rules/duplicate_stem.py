"""Two images of a folder share one caption, because only their extensions differ.

Why is this bad?
----------------
One of them is described by the other's caption.

Example
-------
``aoi/full_front.jpg``: ``another shot``

Use instead
-----------
``aoi/full_left.jpg``: ``another shot``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset, Picture
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the stems of every folder."""
    for group in dataset.groups:
        seen: dict[str, Picture] = {}
        for picture in group.pictures:
            first = seen.setdefault(picture.path.stem, picture)
            if first is not picture:
                yield Finding(
                    picture.path, 1, 1, f"found the stem of {first.path.name} again, expected one of its own; rename it"
                )
