"""An image or caption is a link that leads out of its folder.

Why is this bad?
----------------
What it leads to can change, or be somebody else's, without the folder showing it; a set from a stranger could bring in
files of yours.

Example
-------
``aoi/full_left.png``: ``a link to a file elsewhere``

Use instead
-----------
``aoi/full_left.png``: ``another shot``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Follow the links."""
    for group in dataset.groups:
        home = group.folder.resolve()
        for path in group.links:
            if not (place := path.resolve()).is_relative_to(home):
                yield Finding(path, 1, 1, f"found a link to {place}, expected a file of this folder")
