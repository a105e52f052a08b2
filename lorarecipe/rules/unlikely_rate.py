"""A learning rate is far from what its optimizer works with.

Why is this bad?
----------------
Prodigy multiplies a rate of its own finding with the recipe's, which is meant to be 1: at 1e-4 the weights move ten
thousand times less, and nothing is learned. Of the other optimizers, a LoRA is trained between 1e-6 and 1e-2; above 0.1
the loss soon is no number.

Example
-------
``recipe.toml``: ``target.training.optimizer = "Prodigy"``

Use instead
-----------
``recipe.toml``: ``target.training.optimizer = "Prodigy"``

``recipe.toml``: ``target.training.unet_lr = 1.0``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key, trainings

SEVERITY: Severity = "warning"

#: sd-scripts itself warns of an adaptive optimizer's rate of 0.1 and below
_PRODIGY = 0.1
_OTHERS = 0.1


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare each rate with what is usual for the optimizer."""
    for phase, training in trainings(dataset.recipe):
        for key in ("unet_lr", "text_encoder_lr"):
            rate = getattr(training, key)
            if rate is None:
                continue
            where = (phase, "training", key)
            if training.optimizer == "Prodigy" and rate <= _PRODIGY:
                yield at_key(dataset.recipe, where, f"found {rate:g}, expected 1.0 with Prodigy, which finds its own")
            elif training.optimizer != "Prodigy" and rate > _OTHERS:
                message = f"found {rate:g}, expected about 1e-4 with {training.optimizer}"
                yield at_key(dataset.recipe, where, message)
