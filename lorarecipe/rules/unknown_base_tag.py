"""A base caption holds a tag that is no trait of its character, no zoom tag and not ``from behind``.

Why is this bad?
----------------
A trigger word, another character's trait or a stray tag teaches the base something under a name that no target
caption will say.

Example
-------
``red/full_front.txt``: ``mychar, red hair, short hair, small breasts, full body``

Use instead
-----------
``red/full_front.txt``: ``red hair, short hair, small breasts, full body``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Fix, Severity, at
from lorarecipe.rules.vocabulary import ZOOMS, matched, nearest

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare every tag with the character's traits, the zoom tags and ``from behind``."""
    for group in dataset.base:
        known = {*group.traits, *ZOOMS, "from behind", *dataset.recipe.base.also}
        others = {trait for other in dataset.base for trait in other.traits}
        for caption in (picture.caption for picture in group.pictures if picture.caption):
            for tag in caption.tags:
                if tag.text not in known:
                    other = tag.text in others
                    what = "another character's trait" if other else "no trait of the character"
                    meant = matched(tag.text, known)
                    # a trait is right by itself: one that is spelled alike was not meant
                    near = meant or (None if other else nearest(tag.text, known))
                    hint = f"did you mean {near!r}?" if near else "expected traits, one zoom tag, 'from behind'"
                    fix = Fix(tag.text, meant) if meant else None
                    yield at(caption, tag, f"found {tag.text!r}, {what}; {hint}", fix)
