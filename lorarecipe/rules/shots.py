"""What rules ask of the looks of images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot

import numpy as np
import numpy.typing as npt

from lorarecipe.dataset import Dataset, Group, Picture
from lorarecipe.dataset.look import Look
from lorarecipe.dataset.silhouette import WHITE_CHROMA
from lorarecipe.rules.once import once
from lorarecipe.rules.vocabulary import ZOOMS

_ZOOMS = frozenset(ZOOMS)
#: of the background round the figure: what may be off white
_MOST_OFF_WHITE = 0.05
#: of a corner; of one that no figure reaches: half of the squares of a transparency pattern are white
_MOST_OF_A_CORNER, _MOST_OF_A_FREE_CORNER = 0.5, 0.25
#: of a line of pixels along the frame; correct renders have none
_MOST_OF_THE_RIM = 0.001
#: of the edge of what is lowest: share that is nearly white; of what is lowest: share that is light grey (white shoes
#: have more); of the edge of the rest: share that is nearly white (a white figure has more)
_SOFT, _GREY, _WHITE_FIGURE = 0.6, (0.42, 0.86), 0.6
#: parts of a figure; of 202 correct pictures of a figure in grey and white each had one, white clothes in flat
#: shading fell into 3 to 7; two are a halo, or a thing that floats beside the figure
_PIECES = 3
#: heads whose crown is no hair
_COVERED = frozenset({"bald", "hat", "helmet", "hood", "cap", "beret", "headwear", "crown", "hood up"})
#: dE76 of a character's crowns from their median, which lies among those that are alike where more than half are
_SAME_HAIR = 20.0
_EDGES = ("left", "upper", "right", "lower")


def readable(dataset: Dataset) -> Iterator[Picture]:
    """Images of both phases that could be decoded."""
    for group in dataset.groups:
        yield from (picture for picture in group.pictures if not picture.problem)


@once
def zoom_of(picture: Picture) -> str | None:
    """Zoom tag of an image's caption, if it has just one."""
    zooms = _ZOOMS.intersection(picture.words)
    return next(iter(zooms)) if len(zooms) == 1 else None


@dataclass(frozen=True)
class Backdrop:
    """What is wrong with a background, and whether that is certain."""

    message: str
    certain: bool = True


@once
def backdrop_of(picture: Picture) -> Backdrop | None:
    """Say what is wrong with an image's background; None where it is white, or where none can be known.

    A close-up shows no background that could be distinguished from hair or clothes.
    """
    zoom, look = zoom_of(picture), picture.look
    if zoom == "close-up":
        return None
    whole = zoom == "full body"
    corners = look.corners if whole else look.corners[:2]
    if look.off_white > _MOST_OFF_WHITE or max(corners) > (_MOST_OF_A_FREE_CORNER if whole else _MOST_OF_A_CORNER):
        return Backdrop(_tint(look))
    edges = range(4) if whole else (1,)
    lines = [_EDGES[edge] for edge in edges if look.rim[edge] > _MOST_OF_THE_RIM and not look.touches[edge]]
    if lines:
        return Backdrop(
            f"found lines or a shadow that reach the {' and the '.join(lines)} edge beside the figure, expected white "
            "there; switch off the grid, the floor and the frame of the view, and render without a shadow catcher",
            # a thin thing in the figure's hand may be lost on the small copy, so that one edge alone is not certain
            certain=len(lines) > 1,
        )
    if whole and look.shade:
        soft, grey, elsewhere = look.shade
        if soft >= _SOFT and _GREY[0] <= grey <= _GREY[1] and elsewhere < _WHITE_FIGURE:
            return Backdrop(
                "found what looks like a shadow round the feet (light grey that fades into white), expected white up "
                "to the figure; switch off shadows, the floor and the shadow catcher",
                certain=False,
            )
    return None


def _tint(look: Look) -> str:
    lightness, chroma = look.ground[0], hypot(*look.ground[1:])
    found = f"found {look.off_white:.0%} of the background off white"
    corners = f", and corners of L* {lightness:.0f}, C* {chroma:.0f}" if any(look.corners) else ""
    cause = "make the world white (RGB 255)"
    if chroma < WHITE_CHROMA and any(abs(lightness - known) < 1 for known in _VIEW_TRANSFORMS):
        cause = "set Blender's view transform to Standard: AgX and Filmic turn a white world grey"
    elif min(look.corners) > 0 and max(look.corners) < 1:
        cause = "render with a transparent or a white background: a pattern or a floor is in the picture"
    elif look.off_white <= _MOST_OFF_WHITE and look.touches[1] > _MOST_OF_A_CORNER:
        cause = "where hair or clothes fill the frame, the zoom tag is 'close-up'"
    return f"{found}{corners}; expected L* >= 97 and C* < 3; {cause}"


#: L* of a white world under Blender's view transforms AgX and Filmic
_VIEW_TRANSFORMS = (79.0, 83.0)


def stands_on_white(picture: Picture) -> bool:
    """Whether the background is white, so that its figure can be distinguished from it."""
    return backdrop_of(picture) is None


def figures(dataset: Dataset) -> Iterator[tuple[str | None, Picture]]:
    """Images with a figure on white, and their zoom tags."""
    for picture in readable(dataset):
        if picture.look.figures and stands_on_white(picture) and not falls_apart(picture):
            yield zoom_of(picture), picture


def falls_apart(picture: Picture) -> bool:
    """Whether a full figure is seen in pieces, as one is whose white clothes vanish on white."""
    return zoom_of(picture) == "full body" and picture.look.figures == 1 and picture.look.parts >= _PIECES


@once
def hair_of(group: Group) -> npt.NDArray[np.float64] | None:
    """Median L*a*b* of the crown over a character's images on white, or None where no crown tells its hair.

    Not asked are close-ups, images whose upper edge cuts the head, and those whose caption names a bald head or
    something on it. Where more than half of the crowns are alike, the others show a hat that no caption names; where
    they are not, the colour is not known. Crowns of one character's hair are at most 8.5 (dE76) from their median.
    """
    if _is_covered(group.traits):
        return None
    colours = [p.look.hair for p in group.pictures if not p.problem and p.look.hair and _shows_its_crown(p)]
    if not colours:
        return None
    crowns = np.array(colours)
    alike = np.linalg.norm(crowns - np.median(crowns, axis=0), axis=1) < _SAME_HAIR
    return np.median(crowns[alike], axis=0) if alike.mean() > 0.5 else None


def _shows_its_crown(picture: Picture) -> bool:
    cut = zoom_of(picture) == "close-up" or picture.look.touches[1] > 0
    return not cut and not _is_covered(picture.words) and stands_on_white(picture)


def _is_covered(tags: tuple[str, ...]) -> bool:
    """Whether tags name a bald head, or something on it: a `witch hat` is a hat."""
    return any(tag in _COVERED or tag.rpartition(" ")[2] in _COVERED for tag in tags)


def base_hair(dataset: Dataset) -> list[npt.NDArray[np.float64]]:
    """Hair of each base character; none of a base of fewer than four, on which nothing can be built (SET005)."""
    colours = [colour for group in dataset.base if (colour := hair_of(group)) is not None]
    return colours if len(colours) > 3 else []
