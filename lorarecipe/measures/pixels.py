"""What can be measured of a picture without a model: its border, its shading, its colours, its outline.

All take what `seen` gives. Their thresholds were set on the demo's world; what they mean on real models is unproven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from lorarecipe.colour import lab
from lorarecipe.dataset.silhouette import Lab, Mask, inside, is_white, silhouette
from lorarecipe.dataset.tones import Colour

#: longest side that is looked at, in pixels
_SIDE = 256
#: differences of L* from one pixel to the next: of a shaded surface, and of an outline
_SOFT, _HARD = (1.0, 4.0), 12.0
#: colours of a character, by k-means
_COLOURS = 6
#: a colour is in a picture as near as the nearest hundredth of its pixels is to it
_PERCENTILE = 1
#: share of the ring that has to be free of the figure
_FREE = 0.3
#: dE76 within which a pixel has a colour of the character
_ALIKE = 22.0
#: dE76 within which a pixel may be hair (drawn hair is darker at outlines and lighter at highlights than rendered), and
#: the share of the largest part of it from which another belongs to it, as a second tail does
_LIKE_HAIR, _STRAND = 40.0, 0.1
#: sides of a shape of hair
_HAIR = 32
#: sides of an outline, and how far it may be moved aside
_OUTLINE, _ASIDE = 64, 2


@dataclass(frozen=True)
class Palette:
    """A character's colours, (colours, 3) in Lab, and the share that each has of it."""

    colours: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float64]


def seen(picture: Image.Image) -> Lab:
    """Give what is measured of a picture: a small copy of it in Lab, of shape (height, width, 3)."""
    small = picture.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return lab(np.asarray(small))


def white_border(colours: Lab) -> float:
    """Share of white in a ring along the edge, a sixteenth of the shorter side wide: L* >= 97 and C* < 3.

    Source: technique reference, section 5.
    """
    white = is_white(colours)
    return float(white[_ring(white)].mean())


def white_around(colours: Lab) -> float:
    """Share of white in that ring where no figure reaches it; in all of it, where less than three tenths are free.

    Hair and a cut body cover the edge of a picture on white too: of the demo's renders, two thirds at most.
    """
    white = is_white(colours)
    ring = _ring(white)
    free = ring & inside(~silhouette(colours).figure)
    return float(white[free if free.sum() >= _FREE * ring.sum() else ring].mean())


def softness(colours: Lab) -> float:
    """Of the places where lightness changes, the share where it does so softly, as on a shaded surface.

    Flat drawings change at outlines: the renderer's own have 0.33 in flat, and 0.55 as renders, of 64 pixels.
    """
    down, across = np.gradient(colours[..., 0])
    steep = np.hypot(down, across)
    soft, hard = ((steep > _SOFT[0]) & (steep < _SOFT[1])).sum(), (steep > _HARD).sum()
    return float(soft / max(1, soft + hard))


def palette_of(renders: Sequence[Lab]) -> Palette | None:
    """Find the colours of the figure on renders with a plain background; the same ones every time.

    None where no render shows a figure.
    """
    from scipy.cluster.vq import kmeans2

    pixels = np.concatenate([render[silhouette(render).figure] for render in renders]).astype(np.float64)
    if len(pixels) < _COLOURS:
        return None
    centres, nearest = kmeans2(pixels, _COLOURS, seed=0, minit="++")
    return Palette(centres.astype(np.float32), np.bincount(nearest, minlength=_COLOURS) / len(nearest))


def palette_distance(colours: Lab, palette: Palette) -> float:
    """How far a character's colours are from the nearest in a picture, in Lab (dE76), weighted by their share."""
    return float(np.percentile(_apart(colours, palette).reshape(-1, _COLOURS), _PERCENTILE, axis=0) @ palette.shares)


def change(colours: Lab, other: Lab) -> float:
    """Mean distance of two pictures, pixel by pixel, in Lab (dE76)."""
    return float(np.linalg.norm(colours - other, axis=2).mean())


def outline(colours: Lab) -> Mask:
    """Find the figure on a plain background; of shape (64, 64)."""
    return _sized(silhouette(colours).figure)


def outline_by_colour(colours: Lab, palette: Palette) -> Mask:
    """Find a character before any background: the largest part that has its colours; of shape (64, 64)."""
    from scipy import ndimage

    alike = ndimage.binary_closing(_sized(_apart(colours, palette).min(axis=2) < _ALIKE))
    parts, count = ndimage.label(alike)
    if not count:
        return np.zeros_like(alike)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    whole: Mask = ndimage.binary_fill_holes(parts == sizes.argmax())
    return whole


def hair_of(colours: Lab, hair: Colour, skin: Colour | None) -> Mask:
    """Find what has the colour of hair, and no specks; skin is what is nearer to skin."""
    from scipy import ndimage

    apart = np.linalg.norm(colours - np.array(hair, np.float32), axis=2)
    alike = apart < _LIKE_HAIR
    if skin:
        alike &= apart < np.linalg.norm(colours - np.array(skin, np.float32), axis=2)
    parts, _ = ndimage.label(alike)
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    kept: Mask = alike & (sizes >= _STRAND * sizes.max())[parts]
    return kept


def shape_of(mask: Mask) -> Mask | None:
    """Cut a mask out and give it as (32, 32), as large as fits and at the top; None where it is empty."""
    if not mask.any():
        return None
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    square = np.zeros((max(cut.shape),) * 2, bool)
    left = (len(square) - cut.shape[1]) // 2
    square[: cut.shape[0], left : left + cut.shape[1]] = cut
    return np.asarray(Image.fromarray(square).resize((_HAIR, _HAIR), Image.Resampling.NEAREST), dtype=bool)


def overlap(one: Mask, other: Mask) -> float:
    """Say how much two outlines have in common: what both cover over what either does; moved aside by 3 % at most."""
    best = 0.0
    for step in range(-_ASIDE, _ASIDE + 1):
        moved = np.roll(other, step, axis=1)
        best = max(best, (one & moved).sum() / max(1, (one | moved).sum()))
    return float(best)


def _ring(shape: Mask) -> Mask:
    """Give a ring along the edge, a sixteenth of the shorter side wide."""
    width = max(1, min(shape.shape) // 16)
    ring = np.ones_like(shape)
    ring[width:-width, width:-width] = False
    return ring


def _apart(colours: Lab, palette: Palette) -> npt.NDArray[np.float32]:
    """Distance of each pixel from each colour."""
    apart: npt.NDArray[np.float32] = np.linalg.norm(colours[:, :, None] - palette.colours, axis=3)
    return apart


def _sized(mask: Mask) -> Mask:
    return np.asarray(Image.fromarray(mask).resize((_OUTLINE, _OUTLINE), Image.Resampling.NEAREST), dtype=bool)
