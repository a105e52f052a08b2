"""A base character has no trait for its hair colour, its hairstyle, or (where others have one) its body.

Why is this bad?
----------------
What varies between the characters and is not named is learned as what every figure looks like; then the target's own
hair or body is a difference from that, and drags it along.

Example
-------
``recipe.toml``: ``base.characters[0].traits = ["red hair", "small breasts"]``

Use instead
-----------
``recipe.toml``: ``base.characters[0].traits = ["red hair", "short hair", "small breasts"]``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.rules.vocabulary import TRAIT_KINDS, corrected

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for a trait of each kind."""
    characters = dataset.recipe.base.characters
    for kind, tags in TRAIT_KINDS.items():
        has = [any((corrected(trait) or trait) in tags for trait in character.traits) for character in characters]
        if kind == "body" and not any(has):
            continue  # SET006 says so, once
        for index in (index for index, is_named in enumerate(has) if not is_named):
            where = ("base", "characters", index, "traits")
            message = f"found no {kind} among the traits, expected one (such as {min(tags)!r})"
            yield at_key(dataset.recipe, where, message)
