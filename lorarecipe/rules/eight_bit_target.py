"""The target is trained with an 8-bit optimizer.

Why is this bad?
----------------
The target learns a small difference. People who train differences report that 8-bit states do not do for it
(TrainTrain's author); others used them without complaint.

Example
-------
``recipe.toml``: ``target.training.optimizer = "AdamW8bit"``

Use instead
-----------
``recipe.toml``: ``target.training.optimizer = "AdamW"``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the target's optimizer."""
    target = dataset.recipe.target
    if target and target.training.optimizer.endswith("8bit"):
        message = f"found {target.training.optimizer!r}, expected 'AdamW' for a difference this small"
        yield at_key(dataset.recipe, ("target", "training", "optimizer"), message)
