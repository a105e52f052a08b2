"""A target caption holds a tag that is not on the closed list.

Why is this bad?
----------------
What a tag names is learned under that tag and fades without it. ``1girl``, ``solo``, a trigger word or a trait
would take a part of the character with it; left out, the whole character is learned unconditionally.

Example
-------
``1girl, blonde hair, white background, upper body``

Use instead
-----------
``white background, upper body``
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at, captions
from lorarecipe.rules.vocabulary import CLOSED_LIST

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare every tag with the closed list."""
    for caption in captions(dataset, "target"):
        for tag in caption.tags:
            if tag.text not in CLOSED_LIST:
                near = difflib.get_close_matches(tag.text.lower().replace("_", " "), CLOSED_LIST, n=1, cutoff=0.8)
                hint = f"did you mean {near[0]!r}?" if near else "take it out; the target's captions name no one"
                yield at(caption, tag, f"found {tag.text!r}, which is not on the closed list; {hint}")
