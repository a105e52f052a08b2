"""A caption has no zoom tag, or more than one.

Why is this bad?
----------------
Without it the framing is learned as a part of the figure: proportions then depend on how much of the figure a prompt
shows.

Example
-------
``aoi/upper_front.txt``: ``white background, full body, upper body``

Use instead
-----------
``aoi/upper_front.txt``: ``white background, upper body``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at, captions
from lorarecipe.rules.vocabulary import ZOOMS

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Count the zoom tags of every caption of both phases."""
    for caption in (*captions(dataset, "base"), *captions(dataset, "target")):
        zooms = [tag for tag in caption.tags if tag.text in ZOOMS]
        if not zooms:
            yield at(caption, None, f"found no zoom tag, expected one of {', '.join(ZOOMS)}")
        for tag in zooms[1:]:
            yield at(caption, tag, f"found {tag.text!r} beside {zooms[0].text!r}, expected one zoom tag")
