"""Two images of a character are nearly the same.

Why is this bad?
----------------
The shot counts twice, and what is in it is learned more than the rest. Copies in other sizes are a case of it;
sources disagree on whether these help.

Nearly the same are two images whose perceptual hashes differ in at most 12 of 1024 bits, as they are or mirrored.

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

from lorarecipe.dataset import Dataset, Group, Picture
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "warning"


_MOST_BITS = 12
_BITS = 1024
#: every thirteenth bit, from each of the first thirteen: no slice is of white paper only
_SLICES = [sum(1 << bit for bit in range(start, _BITS, _MOST_BITS + 1)) for start in range(_MOST_BITS + 1)]


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the images of each character."""
    for group in dataset.groups:
        for picture, twin, bits in _twins(group):
            message = (
                f"found nearly the same image as {twin.path.name} ({bits} of 1024 bits differ), expected another shot"
            )
            yield Finding(picture.path, 1, 1, message)


def _twins(group: Group) -> Iterator[tuple[Picture, Picture, int]]:
    """Give each image that is like an earlier one.

    Of thirteen slices of two hashes that differ in twelve bits one is equal: only images that share one are compared.
    """
    seen: defaultdict[tuple[int, int], list[tuple[Picture, int]]] = defaultdict(list)
    for picture in (picture for picture in group.pictures if picture.look.print and not picture.problem):
        value = int(picture.look.print, 16)
        slices = [(index, value & mask) for index, mask in enumerate(_SLICES)]
        near = [(twin, (value ^ other).bit_count()) for key in slices for twin, other in seen[key]]
        twin, apart = min(near, key=lambda pair: pair[1], default=(picture, _MOST_BITS + 1))
        if apart <= _MOST_BITS:
            yield picture, twin, apart
            continue
        for key in slices:
            seen[key].append((picture, value))
