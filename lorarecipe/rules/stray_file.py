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

import re
from collections.abc import Iterator
from pathlib import Path

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "warning"


#: images by extension that the trainer does not read
_FOREIGN = frozenset({".avif", ".jxl", ".tif", ".tiff", ".gif", ".jfif", ".heic", ".heif", ".tga", ".psd", ".exr"})


def check(dataset: Dataset) -> Iterator[Finding]:
    """Name what is neither an image nor an image's caption."""
    for group in dataset.groups:
        foreign = {path.stem for path in group.strays if path.suffix.lower() in _FOREIGN}
        for path in group.strays:
            yield Finding(path, 1, 1, f"found {_kind_of(path, foreign)}, expected images and their captions")


def _kind_of(path: Path, foreign: set[str]) -> str:
    suffix = path.suffix.lower()
    if suffix in _FOREIGN:
        return f"an image of a kind that is not trained on ({suffix}): save it as PNG"
    if re.search(r"[_-]mask(label)?$", path.stem):
        return "a mask, which is not trained on: move it away"
    if suffix == ".txt" and path.stem in foreign:
        return "the caption of an image that is not trained on"
    what = "a folder" if path.is_dir() else "a caption without an image" if suffix == ".txt" else "a file"
    return f"{what} that is not trained on"
