"""An image has no caption file, or one that the trainer would misread.

Why is this bad?
----------------
sd-scripts trains such an image on an empty caption after one line of warning: all that the caption should have named
is then learned.

Example
-------
``aoi/full_front.txt``: ``no file``

Use instead
-----------
``aoi/full_front.txt``: ``white background, arms at sides, full body``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Fix, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for the caption of every image."""
    for group in dataset.groups:
        for picture in group.pictures:
            if not picture.caption:
                name = picture.path.with_suffix(".txt").name
                yield Finding(picture.path, 1, 1, f"found no caption, expected {name} beside it")
            elif picture.caption.problem:
                message = f"found a caption that is {picture.caption.problem}, expected one line of tags"
                undecided = picture.caption.undecided
                fix = Fix(undecided=undecided) if picture.caption.mendable or undecided else None
                yield Finding(picture.caption.path, 1, 1, message, fix=fix)
