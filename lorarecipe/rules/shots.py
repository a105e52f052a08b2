"""What rules ask of the looks of images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from lorarecipe.dataset import Dataset, Group, Picture
from lorarecipe.rules.vocabulary import ZOOMS

_ZOOMS = frozenset(ZOOMS)
#: of the background round the figure: what may be off white
_MOST_OFF_WHITE = 0.05
#: of a corner
_MOST_OF_A_CORNER = 0.5
#: corners that no figure reaches, from the upper left one clockwise; of any other zoom, the upper two
_CORNERS = {"full body": 4, "close-up": 0}


def readable(dataset: Dataset) -> Iterator[Picture]:
    """Images of both phases that could be decoded."""
    for group in dataset.groups:
        yield from (picture for picture in group.pictures if not picture.problem)


def zoom_of(picture: Picture) -> str | None:
    """Zoom tag of an image's caption, if it has just one."""
    zooms = [word for word in picture.words if word in _ZOOMS]
    return zooms[0] if len(zooms) == 1 else None


def stands_on_white(picture: Picture) -> bool:
    """Whether the background is white, so that its figure can be told from it."""
    corners = picture.look.corners[: _CORNERS.get(zoom_of(picture) or "", 2)]
    return picture.look.off_white <= _MOST_OFF_WHITE and max(corners, default=0) <= _MOST_OF_A_CORNER


def shows_its_background(picture: Picture) -> bool:
    """Whether there is any: a close-up's hair may fill the frame."""
    return zoom_of(picture) != "close-up" or min(picture.look.corners) <= _MOST_OF_A_CORNER


def figures(dataset: Dataset) -> Iterator[tuple[str | None, Picture]]:
    """Images with a figure on white, and their zoom tags."""
    for picture in readable(dataset):
        if picture.look.figures and stands_on_white(picture):
            yield zoom_of(picture), picture


def hair_of(group: Group) -> npt.NDArray[np.float64] | None:
    """Median L*a*b* of the crown over a character's images on white, or None when it has none."""
    colours = [p.look.hair for p in group.pictures if not p.problem and p.look.hair and stands_on_white(p)]
    return np.median(np.array(colours), axis=0) if colours else None


def base_hair(dataset: Dataset) -> list[npt.NDArray[np.float64]]:
    """Hair of each base character; none of a base of fewer than four, on which nothing can be built (SET005)."""
    colours = [colour for group in dataset.base if (colour := hair_of(group)) is not None]
    return colours if len(colours) > 3 else []
