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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lorarecipe.dataset import Dataset, Group, Picture
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "warning"


_MOST_BITS, _MOST_OF_OTHER_VIEWS = 8, 6
_BITS = 1024
#: every ninth bit, from each of the first nine, as words of 64 bits: no slice is of white paper only
_SLICES = [
    np.packbits(np.arange(_BITS) % (_MOST_BITS + 1) == start).view(">u8").astype(np.uint64)
    for start in range(_MOST_BITS + 1)
]
#: odd numbers, one for each word
_FACTORS = np.arange(1, _BITS // 32, 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the images of each character."""
    for group in dataset.groups:
        for picture, twin in _twins(group):
            name, bits = twin.picture.path.name, f"{twin.bits} of 1024 bits"
            same = f"nearly the mirror image of {name}" if twin.mirrored else f"nearly the same image as {name}"
            message = f"found {same} ({bits} differ), expected another shot; leave one of them out"
            yield Finding(picture.path, 1, 1, message)


@dataclass(frozen=True)
class _Twin:
    picture: Picture
    bits: int
    mirrored: bool


def _twins(group: Group) -> Iterator[tuple[Picture, _Twin]]:
    """Give each image that is like an earlier one.

    Of nine slices of two hashes that differ in eight bits one is equal: only images that share one are compared.
    """
    digits = _BITS // 4
    pictures = [one for one in group.pictures if len(one.look.print) == len(one.look.mirrored) == digits]
    own, mirrored = [picture.look.print for picture in pictures], [picture.look.mirrored for picture in pictures]
    seen: list[dict[int, list[tuple[Picture, int]]]] = [{} for _ in _SLICES]
    for picture, keys, flipped in zip(pictures, _keys(own), _keys(mirrored), strict=True):
        value, turned = int(picture.look.print, 16), int(picture.look.mirrored, 16)
        near = [
            twin
            for its_keys, bits, is_mirrored in ((keys, value, False), (flipped, turned, True))
            for earlier, key in zip(seen, its_keys, strict=True)
            for other, its in earlier.get(key, ())
            if _is_near(twin := _Twin(other, (bits ^ its).bit_count(), is_mirrored), picture)
        ]
        if near:
            yield picture, min(near, key=lambda twin: (twin.bits, twin.mirrored))
            continue
        for earlier, key in zip(seen, keys, strict=True):
            earlier.setdefault(key, []).append((picture, value))


def _keys(prints: Sequence[str]) -> list[list[int]]:
    """Give a number for each slice of each hash: equal slices have equal numbers, and hardly any others."""
    words = np.frombuffer(bytes.fromhex("".join(prints)), ">u8").astype(np.uint64).reshape(len(prints), len(_FACTORS))
    keys: list[list[int]] = np.stack([((words & one) * _FACTORS).sum(axis=1) for one in _SLICES], axis=1).tolist()
    return keys


def _is_near(twin: _Twin, picture: Picture) -> bool:
    other_view = ("from behind" in twin.picture.words) != ("from behind" in picture.words)
    return twin.bits <= (_MOST_OF_OTHER_VIEWS if twin.mirrored or other_view else _MOST_BITS)
