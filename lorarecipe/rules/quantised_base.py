"""The checkpoint under the target is rounded to 8 bits.

Why is this bad?
----------------
The base changes the weights by a few per cent: less than what rounding to fp8 takes away. The target is then trained
on a checkpoint that has lost a part of the base.

Example
-------
``recipe.toml``: ``target.training.extra = { fp8_base = true }``

Use instead
-----------
``recipe.toml``: ``target.training.precision = "fp16"``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the target's options; a merged file is rounded just so."""
    recipe = dataset.recipe
    for option in ("fp8_base", "fp8_base_unet"):
        if recipe.target and recipe.target.training.extra.get(option):
            where = ("target", "training", "extra", option)
            yield at_key(recipe, where, "found a checkpoint rounded to 8 bits under the target, expected it whole")
