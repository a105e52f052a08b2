"""A target caption lacks ``white background``.

Why is this bad?
----------------
The white is then a part of what the target learns, and scenes turn white.

Example
-------
``aoi/upper_front.txt``: ``upper body``

Use instead
-----------
``aoi/upper_front.txt``: ``white background, upper body``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at, captions

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for the tag in every target caption."""
    for caption in captions(dataset, "target"):
        if "white background" not in caption.words:
            yield at(caption, None, "found no 'white background', expected it on every target image")
