"""The frame cuts the figure where its zoom tag says that it does not.

Why is this bad?
----------------
A head or hand that is cut off is learned as the character's own. With ``full body`` nothing may reach the upper edge
or the sides; with ``upper body``, ``cowboy shot`` and ``feet out of frame`` nothing the upper edge.

Example
-------
``aoi/full_front.png``: ``moved up until its head is cut``

Use instead
-----------
``aoi/full_front.png``: ``in the middle``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.shots import figures

SEVERITY: Severity = "warning"


_EDGES = ("left", "upper", "right")
_OPEN = {"full body": (0, 1, 2), "upper body": (1,), "cowboy shot": (1,), "feet out of frame": (1,)}


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the edges that the figure touches."""
    for zoom, picture in figures(dataset):
        cut = [_EDGES[edge] for edge in _OPEN.get(zoom or "", ()) if picture.look.touches[edge]]
        if cut:
            message = (
                f"found a figure that the {' and the '.join(cut)} edge cuts, expected room round it ({zoom!r}); "
                "move the camera back, or frame the figure anew"
            )
            yield Finding(picture.path, 1, 1, message)
