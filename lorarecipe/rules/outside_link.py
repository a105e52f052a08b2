"""An image or caption is a link that leads out of its folder.

Why is this bad?
----------------
What it leads to can change, or be somebody else's, without the folder showing it. A set from a stranger could bring in
files of yours: a caption that is a link to a password file would print the password, and train on it. Nothing is read
through such a link, and no setting lets it pass. Put a copy of the file into the folder.

Example
-------
``aoi/full_left.png``: ``a link to a file elsewhere``

Use instead
-----------
``aoi/full_left.png``: ``another shot``
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Name the links that the scan did not follow."""
    for group in dataset.groups:
        for path in group.outside:
            message = f"found a link to {os.path.realpath(path)}, expected a file of this folder: copy it here"
            yield Finding(path, 1, 1, message)
