"""One character of the base is seen far more often than another.

Why is this bad?
----------------
The base leans towards whom it sees most: their hair and body become what it draws unasked.

Example
-------
``recipe.toml``: ``base.characters[0].repeats = 10``

Use instead
-----------
``recipe.toml``: ``base.characters[0].repeats = 1``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity, at_key

#: the most seen over the least seen
_MOST = 1.5

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare images times repeats."""
    visits = [len(group.pictures) * group.repeats for group in dataset.base]
    if len(visits) < 2 or not all(visits):
        return
    most = max(visits)
    for index, seen in enumerate(visits):
        if seen * _MOST < most:
            where = ("base", "characters", index, "repeats")
            yield at_key(dataset.recipe, where, f"found {seen} image visits an epoch beside {most}, expected as many")
