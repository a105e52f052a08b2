"""The target is lit otherwise than the base.

Why is this bad?
----------------
Only the difference between the phases is learned, and light is one. The method's author says that it crept into his
own example.

Compared are the mean and the spread of L* over pixels of the colour of skin, where at least 3 % of the figures have
it: the target's may lie 5 beyond the base characters' (the spread likewise); otherwise the mean over the whole
figure, which may lie 15 beyond, since clothes and hair differ.

Example
-------
``aoi``: ``in half the light``

Use instead
-----------
``aoi``: ``in the light of the base``
"""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from lorarecipe.dataset import Dataset, Group
from lorarecipe.rules.finding import Finding, Severity, at_key
from lorarecipe.rules.shots import stands_on_white

SEVERITY: Severity = "warning"


_LEAST_SKIN, _SKIN_BEYOND, _FIGURE_BEYOND = 0.03, 5.0, 15.0


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the target's light with the range of the base characters'."""
    if not dataset.target or not dataset.base:
        return
    target, base = _skin(dataset.target), [skin for group in dataset.base if (skin := _skin(group))]
    what, beyond = "skin", _SKIN_BEYOND
    if not target or not base:
        target, base = _figure(dataset.target), [light for group in dataset.base if (light := _figure(group))]
        what, beyond = "figure", _FIGURE_BEYOND
    if not target or not base:
        return
    for name, own, others in zip(("mean", "spread"), target, zip(*base, strict=True), strict=True):
        if not min(others) - beyond <= own <= max(others) + beyond:
            message = (
                f"found a {name} of L* over the {what} of {own:.0f}, beside {min(others):.0f} to {max(others):.0f}"
            )
            yield at_key(dataset.recipe, ("target", "images"), f"{message} in the base, expected the same light")


def _skin(group: Group) -> tuple[float, float] | None:
    told = [p.look.skin for p in group.pictures if p.look.skin and p.look.skin[0] >= _LEAST_SKIN and stands_on_white(p)]
    return (median(mean for _, mean, _ in told), median(spread for _, _, spread in told)) if told else None


def _figure(group: Group) -> tuple[float, float] | None:
    told = [picture.look.light for picture in group.pictures if picture.look.light and stands_on_white(picture)]
    return (median(mean for mean, _ in told), median(spread for _, spread in told)) if told else None
