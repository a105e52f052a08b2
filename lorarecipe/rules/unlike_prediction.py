"""The checkpoint predicts velocity and the recipe does not say so, or the reverse.

Why is this bad?
----------------
A checkpoint learns to predict either noise or velocity. Trained the other way, every step pulls it away from what it
knows: the loss stays high, and the LoRA draws noise. A checkpoint that predicts velocity often says so: by an entry
``v_pred`` or ``ztsnr`` in its file (NoobAI v-pred), or by ``modelspec.prediction_type`` in its metadata. What the
merge scripts of sd-scripts write there is not believed: they do not look, and drop the entries too.

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
from lorarecipe.families.checkpoint import stated_prediction
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare what the checkpoint says of itself with the recipe."""
    checkpoint, recipe = dataset.checkpoint_weights, dataset.recipe
    said = stated_prediction(checkpoint) if checkpoint else None
    if said is None or said[0] == recipe.checkpoint.v_prediction:
        return
    velocity, where = said
    kind, line = ("velocity", "v_prediction = true") if velocity else ("noise", "v_prediction = false")
    message = f"found a checkpoint that predicts {kind} ({where}), expected {line} in [checkpoint]"
    yield at_key(recipe, ("checkpoint", "v_prediction"), message)
