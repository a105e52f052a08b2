"""SDXL's own VAE is run in half precision.

Why is this bad?
----------------
It overflows in fp16: latents become NaN, are cached as such, and the training goes on with nothing.

Example
-------
``checkpoint.safetensors``: ``weights of sdxl``

``recipe.toml``: ``target.training.precision = "fp16"``

Use instead
-----------
``checkpoint.safetensors``: ``weights of sdxl``

``recipe.toml``: ``target.training.precision = "fp16"``

``recipe.toml``: ``target.training.extra = { no_half_vae = true }``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.families import FAMILIES
from lorarecipe.rules.finding import Finding, Severity, at_key, trainings

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at each training's precision."""
    recipe = dataset.recipe
    family = FAMILIES[recipe.checkpoint.family]
    if not family.VAE_OVERFLOWS:
        return
    for phase, training in trainings(recipe):
        if training.precision == "fp16" and not training.extra.get("no_half_vae"):
            where = (phase, "training", "precision")
            message = f"found fp16 on {family.NAME}, expected extra = {{ no_half_vae = true }} beside it"
            yield at_key(recipe, where, message)
