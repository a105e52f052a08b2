"""A folder's name asks for repeats, as kohya's tools read it, and the recipe has another number.

Why is this bad?
----------------
In a folder ``10_akane``, sd-scripts' older data sets show each image ten times an epoch. A recipe does not read the
number: with ``repeats`` left at 1, the training has a tenth of the steps that the folder's name promises.

Example
-------
``10_aoi``: ``the target's images``

Use instead
-----------
``10_aoi``: ``the target's images``

``recipe.toml``: ``target.repeats = 10``
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.recipe.lines import Where
from lorarecipe.rules.finding import Finding, Severity, at_key

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Compare the number at the beginning of each folder's name with its repeats, where those are left at 1."""
    target = dataset.recipe.target
    places: list[Where] = [("base", "characters", index, "images") for index in range(len(dataset.base))]
    places += [where for where, _, _ in target.parts] if target else []
    for where, group in zip(places, dataset.groups, strict=True):
        asked = re.match(r"(\d{1,4})_.", group.folder.name)
        if asked and group.repeats == 1 and int(asked[1]) > 1:
            yield at_key(
                dataset.recipe, where, f"found the folder {group.folder.name!r}, expected repeats = {asked[1]}"
            )
