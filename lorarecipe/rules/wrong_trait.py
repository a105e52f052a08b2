"""A trait of the recipe is written in a form that no checkpoint was trained on.

Why is this bad?
----------------
Anime checkpoints know the field's tags. ``yellow hair`` or ``Red_Hair`` names nothing to them, so the trait is
learned as a new word, and a prompt that says it rightly does not find it.

Example
-------
``recipe.toml``: ``base.characters[0].traits = ["Red_hair", "short hair", "small breasts"]``

Use instead
-----------
``recipe.toml``: ``base.characters[0].traits = ["red hair", "short hair", "small breasts"]``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.rules.vocabulary import corrected

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look every trait up."""
    for index, character in enumerate(dataset.recipe.base.characters):
        for trait in character.traits:
            if right := corrected(trait):
                where = ("base", "characters", index, "traits")
                yield at_key(dataset.recipe, where, f"found {trait!r}, expected {right!r}")
