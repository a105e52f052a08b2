"""The disk has no room for what the run will write.

Why is this bad?
----------------
A base merged into a checkpoint is as large as the checkpoint; a full disk ends a training of hours.

Example
-------
``checkpoint.safetensors``: ``larger than what is free``

Use instead
-----------
``checkpoint.safetensors``: ``weights of sd15``
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.files import home
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.weights import Folder

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the room on our home's disk with the merged checkpoint."""
    checkpoint = dataset.checkpoint_weights
    if checkpoint is None:
        return
    files = checkpoint.files if isinstance(checkpoint, Folder) else (checkpoint.path,)
    merged = sum(path.stat().st_size for path in files) if dataset.recipe.merge.mode == "checkpoint" else 0
    place = next(path for path in (home(), *home().parents) if path.exists())
    free = shutil.disk_usage(place).free
    if free < merged:
        message = f"found {free / 1e9:.1f} GB free in {place}, expected {merged / 1e9:.1f} GB or more"
        yield at_key(dataset.recipe, ("checkpoint", "path"), f"{message}; set LORARECIPE_HOME to a larger disk")
