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

from lorarecipe.dataset import Dataset, Tag, plain
from lorarecipe.rules.finding import Finding, Fix, Severity, at, captions
from lorarecipe.rules.vocabulary import CLOSED_LIST, contained, kind_of, matched, nearest

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare every tag with the closed list, and with what the recipe allows for the image."""
    allow = dataset.recipe.target.allow if dataset.recipe.target else {}
    for caption in captions(dataset, "target"):
        more = {tag for pattern, tags in allow.items() if fnmatchcase(caption.path.stem, pattern) for tag in tags}
        allowed = CLOSED_LIST | more
        for tag in caption.tags:
            if tag.text not in allowed:
                hint, fix = _advice(tag, allowed)
                yield at(caption, tag, f"found {tag.text!r}, which is not on the closed list; {hint}", fix)


def _advice(tag: Tag, allowed: frozenset[str]) -> tuple[str, Fix | None]:
    """Say what to do, and give the fix where it is certain: a text that holds an allowed tag is never taken out."""
    if meant := matched(tag.text, allowed):
        return f"did you mean {meant!r}?", Fix(tag.text, meant)
    if near := nearest(tag.text, allowed):
        return f"did you mean {near!r}?", None
    if inner := contained(tag.text, allowed):
        return f"if it means {inner!r}, write that between commas; otherwise take it out", None
    return f"take it out ({kind_of(plain(tag.text))})", Fix(tag.text)
