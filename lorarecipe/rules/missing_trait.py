"""A base caption lacks a trait of its character.

Why is this bad?
----------------
The base must draw its characters' hair and body as the prompt says, and 3D, white and upright whatever the prompt
says. A trait that is not named becomes part of what it always draws.

Example
-------
``red/full_front.txt``: ``short hair, small breasts, full body``

Use instead
-----------
``red/full_front.txt``: ``red hair, short hair, small breasts, full body``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for every trait of the character in each of its captions."""
    for group in dataset.base:
        for picture in group.pictures:
            if picture.caption and picture.caption.tags:
                for trait in group.traits:
                    if trait not in picture.caption.words:
                        yield at(picture.caption, None, f"found no {trait!r}, expected every trait of the character")
