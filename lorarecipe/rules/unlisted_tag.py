"""A target caption holds a tag that is not on the closed list.

Why is this bad?
----------------
What a tag names is learned under that tag and fades without it. ``1girl``, ``solo``, a trigger word or a trait would
take a part of the character with it; left out, the whole character is learned unconditionally.

Example
-------
``aoi/full_front.txt``: ``1girl, blonde hair, white background, arms at sides, full body``

Use instead
-----------
``aoi/full_front.txt``: ``white background, arms at sides, full body``
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Fix, Severity, at, captions
from lorarecipe.rules.vocabulary import CLOSED_LIST, corrected, kind_of, nearest, plain

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare every tag with the closed list, and with what the recipe allows for the image."""
    allow = dataset.recipe.target.allow if dataset.recipe.target else {}
    for caption in captions(dataset, "target"):
        more = {tag for pattern, tags in allow.items() if fnmatchcase(caption.path.stem, pattern) for tag in tags}
        for tag in caption.tags:
            if tag.text not in CLOSED_LIST | more:
                sure = corrected(tag.text)
                near = sure or nearest(tag.text, CLOSED_LIST)
                meant = near if near in CLOSED_LIST else None
                hint = f"did you mean {meant!r}?" if meant else f"take it out ({kind_of(plain(tag.text))})"
                fix = Fix(tag.text, meant or "") if sure or not meant else None
                yield at(caption, tag, f"found {tag.text!r}, which is not on the closed list; {hint}", fix)
