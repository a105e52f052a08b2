"""An option for checkpoints that predict velocity stands beside one that does not, or is missing beside one that does.

Why is this bad?
----------------
The wrong loss teaches the wrong thing, and says nothing. Velocity checkpoints are trained with a terminal SNR of
zero; without that option the LoRA is trained on another noise schedule than its checkpoint.

Example
-------
``recipe.toml``: ``target.training.extra = { zero_terminal_snr = true }``

Use instead
-----------
``recipe.toml``: ``checkpoint.v_prediction = false``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key, trainings

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare each training's options with the checkpoint's kind."""
    recipe, velocity = dataset.recipe, dataset.recipe.checkpoint.v_prediction
    for phase, training in trainings(recipe):
        if velocity and not training.extra.get("zero_terminal_snr"):
            yield at_key(
                recipe, (phase, "training"), "found no zero_terminal_snr in extra, expected it with v_prediction = true"
            )
        for option in ("scale_v_pred_loss_like_noise_pred", "zero_terminal_snr"):
            if not velocity and training.extra.get(option):
                message = "found it without v_prediction, expected v_prediction = true"
                yield at_key(recipe, (phase, "training", "extra", option), message)
