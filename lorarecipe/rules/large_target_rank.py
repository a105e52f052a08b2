"""The target's rank is above the base's.

Why is this bad?
----------------
A target with room to spare begins to change style and composition. Published settings give it the base's rank, half
of it, or a quarter.

Example
-------
``recipe.toml``: ``target.training.rank = 8``

Use instead
-----------
``recipe.toml``: ``target.training.rank = 4``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the two ranks."""
    base, target = dataset.recipe.base.training, dataset.recipe.target
    if base and target and target.training.rank > base.rank:
        message = f"found rank {target.training.rank} above the base's {base.rank}, expected at most that"
        yield at_key(dataset.recipe, ("target", "training", "rank"), message)
