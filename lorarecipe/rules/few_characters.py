"""The base has fewer than four characters.

Why is this bad?
----------------
What two or three characters have in common is learned as what every figure has. The method's author uses five.

Example
-------
``base``: ``hair in red, blue``

Use instead
-----------
``base``: ``hair in red, green, blue, white, black, yellow``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

_FEWEST = 4

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Count the characters of a base that is trained here."""
    count = len(dataset.base)
    if 0 < count < _FEWEST:
        where = ("base", "characters")
        yield at_key(dataset.recipe, where, f"found {count}, expected {_FEWEST} or more that differ")
