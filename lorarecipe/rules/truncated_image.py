"""An image ends before all of it is there.

Why is this bad?
----------------
It was cut off while it was copied or saved. A program that draws it all the same fills the rest with grey or black,
and that is then trained on.

Example
-------
``aoi/full_front.png``: ``its first half, cut off``

Use instead
-----------
``aoi/full_front.png``: ``saved anew``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Name the images that could be opened and not decoded to their end."""
    for group in dataset.groups:
        for picture in group.pictures:
            if picture.problem and picture.problem.kind == "truncated":
                message = f"found an image that ends early ({picture.problem.message}), expected a whole one"
                message += "; render or copy it again"
                yield Finding(picture.path, 1, 1, message)
