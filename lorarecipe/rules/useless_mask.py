"""A training leaves the background out by a mask, and an image's mask is empty or leaves nothing out.

Why is this bad?
----------------
The mask is the figure: the image's alpha, or what is not background. Of an image without a figure nothing is learned.
Of one that is a figure from edge to edge everything is, its background too: it may be that the background is no plain
one.

Example
-------
``recipe.toml``: ``target.training.mask = "figure"``

``aoi/full_front.png``: ``no figure``

Use instead
-----------
``recipe.toml``: ``target.training.mask = "figure"``

``aoi/full_front.png``: ``one figure``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import zoom_of

SEVERITY: Severity = "error"
#: share of each edge that a figure covers where it leaves no background; of a close-up that may be right
_ALL = 0.98


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the figure of every image of a training with a mask."""
    recipe = dataset.recipe
    trainings = {"base": recipe.base.training, "target": recipe.target.training if recipe.target else None}
    for group in dataset.groups:
        training = trainings[group.phase]
        for picture in group.pictures if training and training.mask else ():
            if not picture.problem and not picture.look.figures:
                message = "found no figure, so that nothing would be learned of this image; look at the visible layers"
                yield Finding(picture.path, 1, 1, message)
            elif not picture.problem and zoom_of(picture) != "close-up" and min(picture.look.touches) >= _ALL:
                message = "found a figure from edge to edge, so that the mask leaves nothing out; render on white"
                yield Finding(picture.path, 1, 1, f"{message}, or with a transparent background", severity="warning")
