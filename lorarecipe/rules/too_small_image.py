"""An image is smaller than a bucket's step, and buckets do not upscale.

Why is this bad?
----------------
Its bucket would have a side of nothing; sd-scripts ends with a bare ``ZeroDivisionError``.

Example
-------
``recipe.toml``: ``target.training.buckets = { min = 64, max = 256, no_upscale = true }``

``aoi/full_front.png``: ``60x100 pixels``

Use instead
-----------
``recipe.toml``: ``target.training.buckets = { min = 64, max = 256, no_upscale = true }``

``aoi/full_front.png``: ``96x160 pixels``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the sides of every image with the step."""
    recipe = dataset.recipe
    trainings = {"base": recipe.base.training, "target": recipe.target.training if recipe.target else None}
    for group in dataset.groups:
        training = trainings[group.phase]
        if training and training.buckets and training.buckets.no_upscale:
            step = training.buckets.step
            for picture in group.pictures:
                if not picture.problem and min(picture.width, picture.height) < step:
                    size = f"{picture.width}x{picture.height}"
                    yield Finding(
                        picture.path,
                        1,
                        1,
                        f"found {size} pixels, expected {step} or more on both sides; render it larger",
                    )
