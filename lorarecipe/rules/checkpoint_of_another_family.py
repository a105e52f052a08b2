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
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.weights import Folder

SEVERITY: Severity = "error"

#: each family keeps its text encoder under a name of its own
_ENCODERS = {
    "sd15": "cond_stage_model.transformer.",
    "sd2": "cond_stage_model.model.",
    "sdxl": "conditioner.embedders.",
}


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for the family's text encoder among the names of the weights."""
    checkpoint, family = dataset.checkpoint_weights, dataset.recipe.checkpoint.family
    if checkpoint is None:
        return
    if isinstance(checkpoint, Folder):
        if checkpoint.family != family:
            yield Finding(checkpoint.path, 1, 1, f"found a checkpoint of {checkpoint.family}, expected {family}")
        return
    found = [name for name, prefix in _ENCODERS.items() if any(key.startswith(prefix) for key in checkpoint.names)]
    if family not in found:
        what = f"a checkpoint of {found[0]}" if found else "no single-file checkpoint of Stable Diffusion"
        yield Finding(checkpoint.path, 1, 1, f"found {what}, expected {family} (checkpoint.family)")
