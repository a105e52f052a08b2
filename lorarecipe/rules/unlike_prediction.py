"""The checkpoint predicts velocity and the recipe does not say so, or the reverse.

Why is this bad?
----------------
A checkpoint learns to predict either noise or velocity. Trained the other way, every step pulls it away from what it
knows: the loss stays high, and the LoRA draws noise. A checkpoint that predicts velocity often says so: by an entry
``v_pred`` or ``ztsnr`` in its file (NoobAI v-pred), or by ``modelspec.prediction_type`` in its metadata.

Example
-------
``checkpoint.safetensors``: ``weights that predict velocity``

Use instead
-----------
``checkpoint.safetensors``: ``weights that predict velocity``

``recipe.toml``: ``checkpoint.v_prediction = true``

``recipe.toml``: ``base.training.extra = { zero_terminal_snr = true }``

``recipe.toml``: ``target.training.extra = { zero_terminal_snr = true }``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.weights import Folder, Weights

SEVERITY: Severity = "error"

#: entries of a file that predicts velocity, as A1111, Forge and ComfyUI read them
_MARKS = ("v_pred", "ztsnr")


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare what the checkpoint says of itself with the recipe."""
    checkpoint, recipe = dataset.checkpoint_weights, dataset.recipe
    said = _said(checkpoint) if checkpoint else None
    if said is None or said[0] == recipe.checkpoint.v_prediction:
        return
    velocity, where = said
    kind, line = ("velocity", "v_prediction = true") if velocity else ("noise", "v_prediction = false")
    message = f"found a checkpoint that predicts {kind} ({where}), expected {line} in [checkpoint]"
    yield at_key(recipe, ("checkpoint", "v_prediction"), message)


def _said(checkpoint: Weights | Folder) -> tuple[bool, str] | None:
    """Give whether a checkpoint says that it predicts velocity, and where it says so; None when it says nothing."""
    if isinstance(checkpoint, Folder):  # of these, TRN002 refuses any that predicts velocity
        return None
    if marks := [mark for mark in _MARKS if mark in checkpoint.names]:
        return True, f"its file has an entry {marks[0]}"
    prediction = checkpoint.metadata.get("modelspec.prediction_type", "").lower()
    known = {"v": True, "v_prediction": True, "v-prediction": True, "epsilon": False}
    return (known[prediction], f"modelspec.prediction_type = {prediction}") if prediction in known else None
