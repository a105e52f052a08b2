"""Two images of a character are nearly the same.

Why is this bad?
----------------
The shot counts twice, and what is in it is learned more than the rest. Copies in other sizes are a case of it;
sources disagree on whether these help.

Nearly the same are two images whose perceptual hashes differ in at most 8 of 1024 bits, or in at most 6 where one is
mirrored or only one is a view from behind. Real renders saved anew as JPEG differ in up to 7, at half the size in 6
(median; 10 in one of ten), mirrored back in none. Honest shots of one figure differ in 25 or more, front and back of a
drawn one in 8.

Example
-------
``aoi/full_again.png``: ``a copy of full_front.png in half its size``

Use instead
-----------
``aoi/full_again.png``: ``the other side``
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from lorarecipe.dataset import Dataset, Group, Picture
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "warning"


_MOST_BITS, _MOST_OF_OTHER_VIEWS = 8, 6
_BITS = 1024
#: every ninth bit, from each of the first nine: no slice is of white paper only
_SLICES = [sum(1 << bit for bit in range(start, _BITS, _MOST_BITS + 1)) for start in range(_MOST_BITS + 1)]


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the images of each character."""
    for group in dataset.groups:
        for picture, twin in _twins(group):
            same = "nearly the mirror image of" if twin.mirrored else "nearly the same image as"
            message = f"found {same} {twin.picture.path.name} ({twin.bits} of 1024 bits differ), expected another shot"
            yield Finding(picture.path, 1, 1, f"{message}; leave one of them out")


@dataclass(frozen=True)
class _Twin:
    picture: Picture
    bits: int
    mirrored: bool


def _twins(group: Group) -> Iterator[tuple[Picture, _Twin]]:
    """Give each image that is like an earlier one.

    Of nine slices of two hashes that differ in eight bits one is equal: only images that share one are compared.
    """
    seen: defaultdict[tuple[int, int], list[tuple[Picture, int]]] = defaultdict(list)
    for picture in (picture for picture in group.pictures if picture.look.print and not picture.problem):
        value, flipped = int(picture.look.print, 16), int(picture.look.mirrored, 16)
        slices = _slices(value)
        near = [
            twin
            for keys, own, mirrored in ((slices, value, False), (_slices(flipped), flipped, True))
            for key in keys
            for other, its in seen.get(key, ())
            if _is_near(twin := _Twin(other, (own ^ its).bit_count(), mirrored), picture)
        ]
        if near:
            yield picture, min(near, key=lambda twin: (twin.bits, twin.mirrored))
            continue
        for key in slices:
            seen[key].append((picture, value))


def _slices(value: int) -> list[tuple[int, int]]:
    return [(index, value & mask) for index, mask in enumerate(_SLICES)]


def _is_near(twin: _Twin, picture: Picture) -> bool:
    other_view = ("from behind" in twin.picture.words) != ("from behind" in picture.words)
    return twin.bits <= (_MOST_OF_OTHER_VIEWS if twin.mirrored or other_view else _MOST_BITS)
