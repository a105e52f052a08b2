"""The checkpoint is of another family than the recipe says.

Why is this bad?
----------------
The trainer fails after minutes of loading, with a traceback about missing keys.

Example
-------
``recipe.toml``: ``checkpoint.family = "sdxl"``

Use instead
-----------
``recipe.toml``: ``checkpoint.family = "sd15"``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.families import recognised
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.weights import Folder

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Ask each family whether the checkpoint is its own."""
    checkpoint, wanted = dataset.checkpoint_weights, dataset.recipe.checkpoint.family
    if checkpoint is None:
        return
    found = recognised(checkpoint)
    if wanted not in found:
        what = f"a checkpoint of {found[0]}" if found else "no single-file checkpoint of a known family"
        yield Finding(checkpoint.path, 1, 1, f"found {what}, expected {wanted} (checkpoint.family)")
    elif isinstance(checkpoint, Folder) and not checkpoint.predicts_noise:
        message = "found a checkpoint that predicts velocity, which the embedded trainer cannot train"
        yield Finding(checkpoint.path, 1, 1, f"{message}; use one that predicts noise")
