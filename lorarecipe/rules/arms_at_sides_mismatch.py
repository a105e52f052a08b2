"""``arms at sides`` is missing on a full-body image of the target, or stands on another.

Why is this bad?
----------------
The upright pose is named where all of it is seen, so that it is not learned; where the arms are cut off, the tag
names what is not there.

Example
-------
``aoi/full_front.txt``: ``white background, full body``

Use instead
-----------
``aoi/full_front.txt``: ``white background, arms at sides, full body``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at, captions

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the tag with ``full body`` in every target caption."""
    for caption in captions(dataset, "target"):
        tag = next((tag for tag in caption.tags if tag.text == "arms at sides"), None)
        if "full body" in caption.words and not tag:
            yield at(caption, None, "found 'full body' without 'arms at sides', expected both")
        if tag and "full body" not in caption.words:
            yield at(caption, tag, "found 'arms at sides' without 'full body', expected it on full-body images only")
