"""Every hair colour of the base has its own hairstyle, and every hairstyle its own colour.

Why is this bad?
----------------
The two cannot be distinguished: the base may learn that red means long. A target with red short hair then works against
it.

Example
-------
``base``: ``a style for each colour``

Use instead
-----------
``base``: ``short hair for every other one``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.rules.vocabulary import HAIR_COLOURS, HAIRSTYLES

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the pairs with the colours and the styles."""
    casts = [{*character.traits} for character in dataset.recipe.base.characters]
    pairs = {(*sorted(t & HAIR_COLOURS), *sorted(t & HAIRSTYLES)) for t in casts if t & HAIR_COLOURS and t & HAIRSTYLES}
    colours = {tuple(sorted(t & HAIR_COLOURS)) for t in casts if t & HAIR_COLOURS}
    styles = {tuple(sorted(t & HAIRSTYLES)) for t in casts if t & HAIRSTYLES}
    if len(pairs) > 1 and len(pairs) == len(colours) == len(styles):
        message = f"found {len(pairs)} hair colours, each with a hairstyle of its own; expected a style in two colours"
        yield at_key(dataset.recipe, ("base", "characters"), message)
