"""The target is lit otherwise than the base.

Why is this bad?
----------------
Only the difference between the phases is learned, and light is one. The method's author says that it crept into his
own example.

Compared are parts that may be alike in both phases, the first of these that is:

- Nearly white and light grey parts, where the target has two thirds to one and a half times as much of them as the
  base: their brightness (the L* that a tenth exceeds) may lie 3 beyond the base characters', their tint (a*, b*) 4.
- Skin, where it has the base's colour (C* within 5: a dark skin is no other light): the mean and the spread of its L*
  may lie 5 beyond.
- The whole figure: the mean and the spread of L* may lie 15 beyond, since clothes and hair differ.

Measured on six characters in one light: brightness 88.3 to 89.7, b* -2.0 to -1.4. A seventh at 0.95 of its levels has
84.5, at 0.9 80.7, in toon shading 78.5, in a warm tint a b* of 6.0, with dark skin 88.4. A gamma of 0.7 gives 91.8,
which is not found.

Example
-------
``aoi``: ``in half the light``

Use instead
-----------
``aoi``: ``in the light of the base``
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from lorarecipe.dataset import Dataset, Group
from lorarecipe.dataset.look import Look
from lorarecipe.rules.finding import Finding, Severity, at_key, target_groups
from lorarecipe.rules.shots import stands_on_white

SEVERITY: Severity = "warning"


@dataclass(frozen=True)
class _Part:
    """A part of figures by which light is compared: its measures, with their names, and how far each may lie beyond."""

    measures: dict[str, float]
    """Name of a measure -> how far beyond the base's range it may lie."""
    of: Callable[[Look], tuple[float, ...] | None]
    """Gives the measures of an image; before them what tells whether two parts are of the same thing."""
    is_alike: Callable[[float, Sequence[float]], bool]
    """Tells it, of the target's and the base characters'."""


#: shares of the figure that tell something
_LEAST_PALE, _LEAST_SKIN = 0.1, 0.03
_PARTS = (
    _Part(
        {"L* of the palest parts": 3.0, "a* of pale parts": 4.0, "b* of pale parts": 4.0},
        lambda look: look.pale if look.pale and look.pale[0] >= _LEAST_PALE else None,
        lambda share, base: min(base) / 1.5 <= share <= max(base) * 1.5,
    ),
    _Part(
        {"mean of L* over the skin": 5.0, "spread of L* over the skin": 5.0},
        lambda look: (look.skin[3], *look.skin[1:3]) if look.skin and look.skin[0] >= _LEAST_SKIN else None,
        lambda chroma, base: min(base) - 5 <= chroma <= max(base) + 5,
    ),
    _Part(
        {"mean of L* over the figure": 15.0, "spread of L* over the figure": 15.0},
        lambda look: (0.0, *look.light) if look.light else None,
        lambda *_: True,
    ),
)


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the light of each of the target's folders with the range of the base characters'."""
    for where, group in target_groups(dataset):
        yield from (at_key(dataset.recipe, where, message) for message in _messages(group, dataset.base))


def _messages(of_target: Group, groups: Sequence[Group]) -> Iterator[str]:
    """Say in what a folder is lit otherwise, by the first part that both phases have."""
    for part in _PARTS:
        target, base = _medians(of_target, part), [m for group in groups if (m := _medians(group, part))]
        if not target or not base or not part.is_alike(target[0], [measures[0] for measures in base]):
            continue
        for index, (name, beyond) in enumerate(part.measures.items(), 1):
            own, others = target[index], [measures[index] for measures in base]
            if not min(others) - beyond <= own <= max(others) + beyond:
                message = f"found {name} of {own:.0f}, beside {min(others):.0f} to {max(others):.0f} in the base"
                advice = "expected the same light; render both with one set of lamps, shading and view transform"
                yield f"{message}, {advice}"
        return


def _medians(group: Group, part: _Part) -> tuple[float, ...] | None:
    looks = [picture.look for picture in group.pictures if stands_on_white(picture)]
    measured = [measures for look in looks if (measures := part.of(look))]
    if 2 * len(measured) < len(looks):  # the others say that it is no part of the figure
        return None
    return tuple(median(values) for values in zip(*measured, strict=True)) or None
