"""All characters of the base share one hair colour, hairstyle or body.

Why is this bad?
----------------
What never varies is learned without its tag, as a part of the look. A target that differs there has to learn its way
out of it, and takes more along than its own features.

Example
-------
``base``: ``long hair for all``

Use instead
-----------
``base``: ``short hair for every other one``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.rules.vocabulary import TRAIT_KINDS

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Count the different traits of each kind."""
    traits = {trait for character in dataset.recipe.base.characters for trait in character.traits}
    for kind, tags in TRAIT_KINDS.items() if len(dataset.base) > 1 else ():
        if len(found := sorted(traits & tags)) < 2:
            named = f"{found[0]!r} only" if found else "none named"
            message = f"found one {kind} in the whole base ({named}), expected two or more"
            yield at_key(dataset.recipe, ("base", "characters"), message)
