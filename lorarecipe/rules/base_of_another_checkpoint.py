"""The finished base (``base.weights``) was trained on another checkpoint.

Why is this bad?
----------------
A base is a difference from the checkpoint that it was trained on. Merged into another one, it makes figures 3D, white
and upright only as far as the two are alike; what it misses, the target learns and leaks. Which checkpoint it was
stands in the file: lorarecipe and sd-scripts both write its SHA-256.

Example
-------
``base.safetensors``: ``trained on another checkpoint``

``recipe.toml``: ``base.weights = "base.safetensors"``

Use instead
-----------
``base.safetensors``: ``trained on this one``

``recipe.toml``: ``base.weights = "base.safetensors"``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.files import large_file_digest
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.weights import Folder

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the digest in the base's metadata with the checkpoint's."""
    base, checkpoint = dataset.base_weights, dataset.recipe.checkpoint
    if base is None:
        return
    trained_on = base.metadata.get("lorarecipe.checkpoint") or base.metadata.get("ss_new_sd_model_hash")
    weights = dataset.checkpoint_weights
    if isinstance(weights, Folder):
        digest: str | None = weights.digest
    else:
        remote = dataset.recipe.remotes.get(checkpoint.path)
        promised = checkpoint.sha256 or (remote.digest if remote else None)
        digest = large_file_digest(checkpoint.path) if weights else promised
    if trained_on and digest and trained_on != digest:
        message = (
            f"found a base that was trained on a checkpoint of SHA-256 {trained_on[:12]}, expected {digest[:12]}, "
            f"which is {checkpoint.path.name}'s"
        )
        yield Finding(base.path, 1, 1, message)
