"""Base and target are trained at different resolutions.

Why is this bad?
----------------
Detail and framing then differ between the phases, and the difference is learned with the character.

Example
-------
``recipe.toml``: ``target.training.resolution = 192``

Use instead
-----------
``recipe.toml``: ``target.training.resolution = 128``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the two resolutions."""
    base, target = dataset.recipe.base.training, dataset.recipe.target
    if base and target and base.resolution != target.training.resolution:
        own, other = ("x".join(map(str, training.resolution)) for training in (target.training, base))
        message = f"found {own} beside the base's {other}, expected one resolution"
        yield at_key(dataset.recipe, ("target", "training", "resolution"), message)
