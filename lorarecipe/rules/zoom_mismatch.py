"""The zoom tag does not fit the figure's outline.

Why is this bad?
----------------
A framing under a wrong name undoes what the tag is for: proportions then depend on how much of the figure is asked
for. ``full body`` has its feet in the frame, so the figure ends above the lower edge; in ``portrait``, ``upper
body``, ``cowboy shot`` and ``feet out of frame`` the lower edge cuts it.

Among these, each image's outline is fitted to those of the character's full shots, which tells the share of the figure
that it shows. An image is found that lies 0.1 or more from the median of its own zoom tag and within 0.04 of another
tag's (of three images or more each), and a character whose tags are in the wrong order. Of real renders of one figure
the shares of one zoom lie within 0.04 of each other. A ``close-up`` shows less than any other.

Example
-------
``aoi/full_front.png``: ``the upper half only``

Use instead
-----------
``aoi/full_front.png``: ``from head to feet``
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from statistics import median

from lorarecipe.dataset import Dataset, Group, Picture
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.rules.framing import WHOLE, shown_shares
from lorarecipe.rules.shots import figures, zoom_of

SEVERITY: Severity = "warning"


#: from the narrowest on
_CUT_BELOW = ("portrait", "upper body", "cowboy shot", "feet out of frame")
#: shares of a figure: as far from its own zoom's, as near to another's; images that a median needs
_FAR, _NEAR, _ENOUGH = 0.1, 0.04, 3


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look at the lower edge, and at the share of the figure that is shown."""
    edges = {picture.path: message for zoom, picture in figures(dataset) if (message := _by_the_edge(zoom, picture))}
    for group in dataset.groups:
        shares = shown_shares(group)
        found = edges | _by_the_share(group, shares)
        yield from (Finding(one.path, 1, 1, found[one.path]) for one in group.pictures if one.path in found)
        yield from _in_the_wrong_order(group, shares)


def _by_the_edge(zoom: str | None, picture: Picture) -> str:
    below, ends = picture.look.touches[3], picture.look.box[3]
    if zoom == "full body" and below:
        return (
            "found 'full body' on a figure that the lower edge cuts, expected its feet in the frame; move the camera "
            "back, or write the zoom tag that fits"
        )
    if zoom in _CUT_BELOW and not below:
        return (
            f"found {zoom!r} on a figure that ends above the lower edge (at {ends:.0%} of the height), expected the "
            "edge to cut it; write 'full body'"
        )
    return ""


def _by_the_share(group: Group, shares: Mapping[Path, float]) -> dict[Path, str]:
    usual = {zoom: median(of) for zoom, of in _by_zoom(group, shares).items() if len(of) >= _ENOUGH}
    found = {}
    for picture in group.pictures:
        zoom, share = zoom_of(picture), shares.get(picture.path)
        if share is None:
            continue
        said = f"found {zoom!r} on {share:.0%} of the figure"
        if zoom == "full body" and share <= WHOLE:
            found[picture.path] = f"{said}, expected it from head to feet; write the zoom tag that fits"
        if zoom == "close-up" and usual and share >= min(usual.values()) - _NEAR:
            found[picture.path] = f"{said}, expected less than the other zooms show; write the zoom tag that fits"
        if zoom in usual and abs(share - usual[zoom]) >= _FAR:
            other = min(usual, key=lambda one: abs(share - usual[one]))
            if abs(share - usual[other]) <= _NEAR:
                found[picture.path] = f"{said}, which the others of {other!r} show; write {other!r}"
    return found


def _in_the_wrong_order(group: Group, shares: Mapping[Path, float]) -> Iterator[Finding]:
    usual = {zoom: median(of) for zoom, of in _by_zoom(group, shares).items() if len(of) > 1}
    for one, other in pairwise(zoom for zoom in _CUT_BELOW if zoom in usual):
        if usual[one] > usual[other] + _NEAR:
            first = next(picture for picture in group.pictures if zoom_of(picture) == one)
            message = f"found {usual[one]:.0%} of the figure with {one!r} and {usual[other]:.0%} with {other!r}"
            yield Finding(first.path, 1, 1, f"{message}, expected less with {one!r}; exchange the zoom tags")


def _by_zoom(group: Group, shares: Mapping[Path, float]) -> dict[str, list[float]]:
    zooms = defaultdict[str, list[float]](list)
    for picture in group.pictures:
        if picture.path in shares and (zoom := zoom_of(picture)) in _CUT_BELOW:
            zooms[str(zoom)].append(shares[picture.path])
    return zooms
