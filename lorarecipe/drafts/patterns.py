"""Guess how images are named: the pattern that reads all names, and reads most out of each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise, product
from pathlib import Path

from lorarecipe.recipe import Captions
from lorarecipe.rules.names import Name, read_name

_SEPARATORS = ("_", "-", " ", ".", "")
_MOST_FIELDS = 5
#: share of the names that a pattern has to fit
_MOST = 0.8
#: degrees that cameras stand at are multiples of this; counters are not
_DEGREES = 5


def guess_pattern(images: Sequence[Path]) -> Captions | None:
    """Give the pattern that most images' names fit, or None where names do not tell the zoom.

    Of several, it is the one that reads a view too, then one that reads degrees, then the shortest. A few names may not
    fit it: a slip of the pen in one is no reason to read less out of all.
    """
    allowed = len(images) - math.ceil(_MOST * len(images))
    for pattern in _patterns():
        captions = Captions(pattern=pattern)
        names, odd = [], 0
        for image in images:
            name = read_name(image, captions)
            if name.problem:
                odd += 1
                if odd > allowed:
                    break
            else:
                names.append(name)
        else:
            if names and _are_degrees(names):
                return captions
    return None


def _are_degrees(names: Sequence[Name]) -> bool:
    """Whether the numbers of the names, if they have any, are degrees: 0, 45, 90 are, and 1, 2, 3 count."""
    numbers = {name.azimuth for name in names if name.azimuth is not None}
    return not numbers or (
        len(numbers) > 1 and all(number % _DEGREES == 0 and -360 <= number <= 360 for number in numbers)
    )


@cache
def _patterns() -> tuple[str, ...]:
    """Every pattern to try, the most telling first."""
    return tuple(
        separator.join(f"{{{field}}}" for field in fields)
        for fields in sorted(_sequences(), key=_rank)
        for separator in (_SEPARATORS if len(fields) > 1 else _SEPARATORS[:1])
        if separator or len(fields) == 1
    )


def _sequences() -> Iterator[tuple[str, ...]]:
    for length in range(1, _MOST_FIELDS + 1):
        for fields in product(("zoom", "view", "azimuth", "any"), repeat=length):
            counts = {field: fields.count(field) for field in ("zoom", "view", "azimuth")}
            apart = all((one, other) != ("any", "any") for one, other in pairwise(fields))
            if counts["zoom"] == 1 and counts["view"] <= 1 and counts["azimuth"] <= 1 and apart:
                yield fields


def _rank(fields: tuple[str, ...]) -> tuple[int, int, int, tuple[str, ...]]:
    """Least first: a view tells more than degrees, and a field that is read more than one that is not."""
    return -("view" in fields), -("azimuth" in fields), len(fields), fields
