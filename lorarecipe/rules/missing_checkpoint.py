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
    if dataset.checkpoint_weights is None:
        fault = dataset.recipe.fault(("checkpoint", "path"), f"found {str(dataset.recipe.checkpoint.path)!r}")
        yield Finding(fault.path, fault.line, 1, f"{fault.message}, which is not there; a run needs it")
