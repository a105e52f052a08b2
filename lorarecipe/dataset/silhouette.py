"""The figure of a render: what is not its background, on a small copy of the image."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Lab = npt.NDArray[np.float32]
Edges = tuple[float, float, float, float]

#: white that leaks no tint: sRGB 247 and above (technique reference, section 5)
WHITE_LIGHTNESS, WHITE_CHROMA, WHITE_LEVEL = 97.0, 3.0, 247
#: dE76 from the background at which a pixel belongs to the figure; JPEG noise stays below
_APART = 4.0
#: share of the upper edge and the sides that is white in a render on white: of close-ups of real renders 0 to 0.07
_SOME_WHITE = 0.01
#: alpha from which a pixel belongs to the figure
_OPAQUE = 128
#: a part smaller than this share of the largest is a speck
_SPECK = 0.02
#: rows in which heads stand side by side, and the width of a head, in heights of the whole
_HEADS, _HEAD_WIDTH = (0.04, 0.13), 0.07
#: two figures that touch are at least so wide, in heights of the whole
_TWO_ABREAST = 0.4
#: a second figure is at least so high, in heights of the whole, and beside the first, not above it
_FIGURE_HEIGHT, _FIGURE_OVERLAP = 0.5, 0.2


@dataclass(frozen=True)
class Silhouette:
    """The figure of an image, and the background round it; both of shape (height, width)."""

    figure: Mask
    outside: Mask
    parts: tuple[tuple[slice, slice], ...]
    """Rows and columns of each part that is no speck."""

    @cached_property
    def box(self) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom of all parts, in pixels; the last two lie outside."""
        if not self.parts:
            return None
        rows, columns = zip(*self.parts, strict=True)
        return (
            min(c.start for c in columns),
            min(r.start for r in rows),
            max(c.stop for c in columns),
            max(r.stop for r in rows),
        )

    @property
    def figures(self) -> int:
        """Parts that stand side by side, each at least half as high as the whole."""
        if not (box := self.box):
            return 0
        height = box[3] - box[1]
        tall = [part for part in self.parts if part[0].stop - part[0].start >= _FIGURE_HEIGHT * height]
        apart: list[slice] = []
        for _, columns in sorted(tall, key=lambda part: part[1].start - part[1].stop):
            if all(_overlap(columns, other) < _FIGURE_OVERLAP for other in apart):
                apart.append(columns)
        return max(1, len(apart), self._heads(box[1], height))

    def _heads(self, top: int, height: int) -> int:
        """Count what stands side by side where heads are: figures that touch are one part."""
        if self.figure.any(axis=0).sum() < _TWO_ABREAST * height:
            return 1
        rows = self.figure[top + round(_HEADS[0] * height) : top + round(_HEADS[1] * height)]
        return min((_wide_runs(row, _HEAD_WIDTH * height) for row in rows), default=0)


def is_white(colours: Lab) -> Mask:
    """Say which pixels are white: L* >= 97 and C* < 3."""
    chroma = colours[..., 1] ** 2 + colours[..., 2] ** 2
    white: Mask = (colours[..., 0] >= WHITE_LIGHTNESS) & (chroma < WHITE_CHROMA**2)
    return white


def share(mask: Mask) -> float:
    """Share of a mask that is set, to four digits."""
    return round(int(np.count_nonzero(mask)) / mask.size, 4)


def silhouette(colours: Lab) -> Silhouette:
    """Part a figure from its background.

    The background is white if a hundredth of the upper edge and the sides is; otherwise it has the median colour of
    these. It is what is joined to the edge, to the lower one only if it is white all over: white clothes belong to the
    figure.

    Parameters
    ----------
    colours
        L*a*b*, of shape (height, width, 3).
    """
    from scipy import ndimage

    edge = np.concatenate([colours[0], colours[1:, 0], colours[1:, -1]])
    ground = np.array([100, 0, 0]) if is_white(edge).mean() >= _SOME_WHITE else np.median(edge, axis=0)
    apart = colours - ground.astype(np.float32)
    apart *= apart
    areas, count = ndimage.label(apart[..., 0] + apart[..., 1] + apart[..., 2] < _APART**2)
    joined = np.zeros(count + 1, bool)
    joined[areas[-1]] = True  # a gap between arm and body, unless it is tinted: white hair that the lower edge cuts
    joined[areas[~is_white(colours)]] = False
    joined[np.concatenate([areas[0], areas[:, 0], areas[:, -1]])] = True
    joined[0] = False
    return _parted(joined[areas])


def silhouette_by_alpha(alpha: npt.NDArray[np.uint8]) -> Silhouette:
    """Take what is opaque for the figure.

    Parameters
    ----------
    alpha
        From 0 to 255, of shape (height, width).
    """
    return _parted(alpha < _OPAQUE)


def _parted(outside: Mask) -> Silhouette:
    """Leave specks out of what is not background, and find its parts."""
    from scipy import ndimage

    parts, count = ndimage.label(~outside)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)
    sizes[0] = 0
    kept = sizes >= max(1, _SPECK * sizes.max())
    places = ndimage.find_objects(parts)
    boxes = tuple((rows, columns) for rows, columns in (places[index - 1] for index in np.flatnonzero(kept)))
    return Silhouette(kept[parts], outside, boxes)


def inside(mask: Mask) -> Mask:
    """Leave out the pixels of a mask that touch one outside it; the frame does not count."""
    smaller = mask.copy()
    smaller[1:] &= mask[:-1]
    smaller[:-1] &= mask[1:]
    smaller[:, 1:] &= mask[:, :-1]
    smaller[:, :-1] &= mask[:, 1:]
    return smaller


def _wide_runs(row: Mask, least: float) -> int:
    """Count the stretches of a row that are so long at least."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]])))
    return int(np.count_nonzero(ends[1::2] - ends[::2] >= max(least, 2)))


def _overlap(one: slice, other: slice) -> float:
    """Shared columns over those of the narrower."""
    shared: int = min(one.stop, other.stop) - max(one.start, other.start)
    narrower: int = min(one.stop - one.start, other.stop - other.start)
    return max(0, shared) / narrower
