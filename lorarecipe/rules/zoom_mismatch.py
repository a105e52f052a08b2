"""The zoom tag does not fit the figure's outline.

Why is this bad?
----------------
A framing under a wrong name undoes what the tag is for: proportions then depend on how much of the figure is asked
for. ``full body`` has its feet in the frame, so the figure ends above the lower edge; in ``portrait``, ``upper
body``, ``cowboy shot`` and ``feet out of frame`` the lower edge cuts it.

Example
-------
``aoi/full_front.png``: ``the upper half only``

Use instead
-----------
``aoi/full_front.png``: ``from head to feet``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import figures

SEVERITY: Severity = "warning"


_CUT_BELOW = {"portrait", "upper body", "cowboy shot", "feet out of frame"}


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the lower edge."""
    for zoom, picture in figures(dataset):
        below = picture.look.touches[3]
        if zoom == "full body" and below:
            message = "found 'full body' on a figure that the lower edge cuts, expected its feet in the frame; "
            message += "move the camera back, or write the zoom tag that fits"
            yield Finding(picture.path, 1, 1, message)
        if zoom in _CUT_BELOW and not below:
            ends = picture.look.box[3]
            message = f"found {zoom!r} on a figure that ends above the lower edge (at {ends:.0%} of the height)"
            yield Finding(picture.path, 1, 1, f"{message}, expected the edge to cut it; write 'full body'")
