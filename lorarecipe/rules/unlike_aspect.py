"""One phase has images of a shape that the other never saw.

Why is this bad?
----------------
The shape of the frame decides what is seen round the figure, and each goes into a bucket of its own. A shape that
only the target has is learned with the character.

Shapes are alike when their ratios of width to height are within a tenth.

Example
-------
``aoi/full_front.png``: ``64x160 pixels``

Use instead
-----------
``aoi/full_front.png``: ``96x160 pixels``
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorarecipe.dataset import Dataset, Group
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "warning"


_ALIKE = 1.1


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the shapes, both ways."""
    base, target = _shapes(dataset.base), _shapes(dataset.target)
    if not base or not target or not dataset.recipe.target:
        return
    for own, others, where, other in (
        (target, base, dataset.recipe.target.place, "base"),
        (base, target, ("base", "characters"), "target"),
    ):
        lacks = [size for ratio, size in own.items() if all(_apart(ratio, known) > _ALIKE for known in others)]
        if lacks:
            message = f"found images of {', '.join(lacks)} pixels, a shape that the {other} has none of"
            yield at_key(dataset.recipe, where, f"{message}; expected one list of cameras")


def _shapes(groups: Sequence[Group]) -> dict[float, str]:
    """Give each ratio of width to height, and one image's size that has it."""
    pictures = (picture for group in groups for picture in group.pictures)
    sizes = {(picture.width, picture.height) for picture in pictures if not picture.problem}
    return {width / height: f"{width}x{height}" for width, height in sorted(sizes)}


def _apart(one: float, other: float) -> float:
    return max(one / other, other / one)
