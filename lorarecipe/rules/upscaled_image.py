"""An image has less than half the pixels that it is trained at.

Why is this bad?
----------------
It is enlarged before it is trained on: its blur is learned as a look.

Example
-------
``aoi/full_front.png``: ``60x100 pixels``

Use instead
-----------
``aoi/full_front.png``: ``96x160 pixels``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, trainings

SEVERITY: Severity = "warning"


_LEAST = 0.5


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the area of every image with the resolution's, unless it is trained as small as it is."""
    phases = dict(trainings(dataset.recipe))
    for group in dataset.groups:
        training = phases.get(group.phase)
        if training is None or (training.buckets and training.buckets.no_upscale):
            continue
        width, height = training.resolution
        for picture in group.pictures:
            if not picture.problem and picture.width * picture.height < _LEAST * width * height:
                size = f"found {picture.width}x{picture.height} pixels, and the training is at {width}x{height}"
                yield Finding(picture.path, 1, 1, f"{size}; expected about as many; render the image larger")
