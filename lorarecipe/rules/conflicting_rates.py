"""An optimizer cannot work with the rates or the warm-up that stand beside it.

Why is this bad?
----------------
Prodigy adapts one rate for all weights: other rates for the text encoder or for LoRA+ end the training at its first
step. AdaFactor finds its own rate unless ``relative_step=False`` stands in ``optimizer_args``: it then drops
``unet_lr`` and the scheduler without a word, and ends the training at once if there is a warm-up. AdamWScheduleFree
has no scheduler, and a warm-up is an argument of its own.

Example
-------
``recipe.toml``: ``target.training.optimizer = "AdaFactor"``

Use instead
-----------
``recipe.toml``: ``target.training.optimizer = "AdaFactor"``

``recipe.toml``: ``target.training.extra = { optimizer_args = ["relative_step=False", "scale_parameter=False"] }``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.recipe import Training
from lorarecipe.rules.finding import Finding, Severity, at_key, trainings

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at each training's optimizer, rates and arguments."""
    for phase, training in trainings(dataset.recipe):
        for key, message in _conflicts(training):
            yield at_key(dataset.recipe, (phase, "training", key), message)


def _conflicts(training: Training) -> Iterator[tuple[str, str]]:
    arguments = _pairs(training, "optimizer_args")
    ratios = [key for key, value in _pairs(training, "network_args").items() if "lr_ratio" in key and value != "1"]
    rate, other = training.unet_lr, training.text_encoder_lr
    if training.optimizer == "Prodigy":
        if other is not None and other != rate:
            yield "text_encoder_lr", f"found {other:g} beside unet_lr = {rate:g}, expected the same with Prodigy"
        if ratios:
            yield "extra", f"found {ratios[0]} with Prodigy, expected none: all its rates are the same"
    if training.optimizer == "AdaFactor" and (
        arguments.get("relative_step") not in {"False", "0"} or arguments.get("warmup_init") in {"True", "1"}
    ):
        expected = 'extra = { optimizer_args = ["relative_step=False", "scale_parameter=False"] }'
        yield "optimizer", f"found AdaFactor, which drops unet_lr = {rate:g} and the scheduler, expected {expected}"
    if training.optimizer == "AdamWScheduleFree" and training.warmup_steps:
        expected = f'extra = {{ optimizer_args = ["warmup_steps={training.warmup_steps}"] }}'
        yield (
            "warmup_steps",
            f"found {training.warmup_steps}, which AdamWScheduleFree does not see, expected {expected}",
        )


def _pairs(training: Training, option: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in training.extra.get(option, ()))
    return {key: value.strip() for key, _, value in pairs}
