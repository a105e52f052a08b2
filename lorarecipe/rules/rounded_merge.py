"""The base is merged in memory at bf16.

Why is this bad?
----------------
sd-scripts merges in the precision of the training. A base's change of a few per cent of a weight loses 7 to 22 per
cent of itself in bf16, and 1 to 3 in fp16.

Example
-------
``recipe.toml``: ``merge.mode = "load"``

``recipe.toml``: ``target.training.precision = "bf16"``

Use instead
-----------
``recipe.toml``: ``merge.mode = "checkpoint"``

``recipe.toml``: ``target.training.precision = "bf16"``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the merge's mode and the target's precision."""
    recipe = dataset.recipe
    if recipe.target and recipe.merge.mode == "load" and recipe.target.training.precision == "bf16":
        where = ("target", "training", "precision")
        yield at_key(recipe, where, 'found a merge in memory at bf16, expected mode = "checkpoint" or "fp16"')
