"""The target's folder holds an image of the base: a regularisation image in all but name.

Why is this bad?
----------------
The target is pulled towards the base's characters. The method has no regularisation images; Emanon tried them in
March 2023 and left them out in May.

Example
-------
``aoi/full_left.png``: ``red/full_front.png once more``

Use instead
-----------
``aoi/full_left.png``: ``another shot``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the images of both phases by their digests."""
    base = {picture.digest: picture for group in dataset.base for picture in group.pictures if not picture.problem}
    for picture in (picture for group in dataset.target for picture in group.pictures):
        if twin := base.get(picture.digest):
            yield Finding(picture.path, 1, 1, f"found an image of the base ({twin.path}), expected the target only")
