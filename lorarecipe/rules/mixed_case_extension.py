"""An image's extension is in mixed case.

Why is this bad?
----------------
sd-scripts reads ``.png`` and ``.PNG`` and skips ``.Png`` without a word. The copy that lorarecipe trains on has it in
lower case, so this harms only those who use the folder otherwise.

Example
-------
``aoi/full_front.Png``: ``a render``

Use instead
-----------
``aoi/full_front.png``: ``a render``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the extensions."""
    for group in dataset.groups:
        for picture in group.pictures:
            suffix = picture.path.suffix
            if suffix not in {suffix.lower(), suffix.upper()}:
                yield Finding(
                    picture.path, 1, 1, f"found the extension {suffix!r}, expected {suffix.lower()!r}; rename it"
                )
