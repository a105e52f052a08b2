"""An image has an alpha channel that is not opaque.

Why is this bad?
----------------
Other programs drop alpha, and what it hides shows: often black, or the last scene. sd-scripts does so too. The copy
that lorarecipe trains on is flattened on white.

Example
-------
``aoi/full_front.png``: ``a clear background over black``

Use instead
-----------
``aoi/full_front.png``: ``flattened on white``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import readable

SEVERITY: Severity = "warning"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the share of the pixels that are not opaque, and at the colour beneath."""
    for picture in readable(dataset):
        if picture.look.clear:
            hides = f" that hide {picture.look.hidden}" if picture.look.hidden else ""
            message = f"found {picture.look.clear:.1%} clear pixels{hides} (trained on white), expected an opaque image"
            message += "; render on white"
            yield Finding(picture.path, 1, 1, message)
