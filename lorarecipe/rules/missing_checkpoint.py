"""The checkpoint is not there.

Why is this bad?
----------------
Images and captions can be checked without it, a run needs it.

Example
-------
``recipe.toml``: ``checkpoint.path = "elsewhere.safetensors"``

Use instead
-----------
``recipe.toml``: ``checkpoint.path = "checkpoint.safetensors"``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look whether the scan could open it."""
    path = dataset.recipe.checkpoint.path
    if dataset.checkpoint_weights is None and path not in dataset.recipe.remotes:
        message = f"found {str(path)!r}, which is not there; a run needs it"
        fault = dataset.recipe.fault(("checkpoint", "path"), message)
        yield Finding(fault.path, fault.line, 1, fault.message)
