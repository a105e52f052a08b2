"""The target caches the text encoder's outputs while a base that has trained it is merged in memory.

Why is this bad?
----------------
sd-scripts fills that cache before it merges the base: the base's text encoder part is silently lost. Merged into a
file, the base is whole.

Example
-------
``checkpoint.safetensors``: ``weights of sdxl``

``recipe.toml``: ``merge.mode = "load"``

``recipe.toml``: ``target.training.extra = { cache_text_encoder_outputs = true }``

Use instead
-----------
``checkpoint.safetensors``: ``weights of sdxl``

``recipe.toml``: ``merge.mode = "checkpoint"``

``recipe.toml``: ``target.training.extra = { cache_text_encoder_outputs = true }``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the target of a base with a text encoder part."""
    recipe = dataset.recipe
    trained = recipe.base.training is not None and recipe.base.training.text_encoder_lr is not None
    finished = dataset.base_weights is not None and any(
        name.startswith("lora_te") for name in dataset.base_weights.names
    )
    cached = recipe.target is not None and recipe.target.training.extra.get("cache_text_encoder_outputs")
    if cached and recipe.merge.mode == "load" and (trained or finished):
        where = ("target", "training", "extra", "cache_text_encoder_outputs")
        yield at_key(recipe, where, 'found it beside a base with a text encoder part, expected mode = "checkpoint"')
