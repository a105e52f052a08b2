"""What can be measured of a picture without a model: its border, its shading, its colours.

All take RGB pictures. Their thresholds were set on the demo's world; what they mean on real models is unproven.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.cluster.vq import kmeans2

from lorarecipe.colour import lab
from lorarecipe.dataset.silhouette import is_white, silhouette

#: longest side that is looked at, in pixels
_SIDE = 256
#: differences of L* from one pixel to the next: of a shaded surface, and of an outline
_SOFT, _HARD = (1.0, 4.0), 12.0
#: colours of a character, by k-means
_COLOURS = 6
#: a colour is in a picture as near as the nearest hundredth of its pixels is to it
_PERCENTILE = 1


@dataclass(frozen=True)
class Palette:
    """A character's colours, (colours, 3) in Lab, and the share that each has of it."""

    colours: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float64]


def white_border(picture: Image.Image) -> float:
    """Share of white in a ring along the edge, a sixteenth of the shorter side wide: L* >= 97 and C* < 3.

    Source: technique reference, section 5.
    """
    white = is_white(_lab(picture))
    width = max(1, min(white.shape) // 16)
    inner = np.zeros_like(white)
    inner[width:-width, width:-width] = True
    return float(white[~inner].mean())


def softness(picture: Image.Image) -> float:
    """Of the places where lightness changes, the share where it does so softly, as on a shaded surface.

    Flat drawings change at outlines: the renderer's own have 0.33 in flat, and 0.55 as renders, of 64 pixels.
    """
    down, across = np.gradient(_lab(picture)[..., 0])
    steep = np.hypot(down, across)
    soft, hard = ((steep > _SOFT[0]) & (steep < _SOFT[1])).sum(), (steep > _HARD).sum()
    return float(soft / max(1, soft + hard))


def palette_of(renders: Sequence[Image.Image]) -> Palette:
    """Find the colours of the figure on renders with a plain background; the same ones every time."""
    figures = [(colours := _lab(render))[silhouette(colours).figure] for render in renders]
    pixels = np.concatenate(figures).astype(np.float64)
    centres, nearest = kmeans2(pixels, _COLOURS, seed=0, minit="++")
    return Palette(centres.astype(np.float32), np.bincount(nearest, minlength=_COLOURS) / len(nearest))


def palette_distance(picture: Image.Image, palette: Palette) -> float:
    """How far a character's colours are from the nearest in a picture, in Lab (dE76), weighted by their share."""
    pixels = _lab(picture).reshape(-1, 1, 3)
    apart = np.linalg.norm(pixels - palette.colours, axis=2)
    return float(np.percentile(apart, _PERCENTILE, axis=0) @ palette.shares)


def change(picture: Image.Image, other: Image.Image) -> float:
    """Mean distance of two pictures, pixel by pixel, in Lab (dE76)."""
    return float(np.linalg.norm(_lab(picture) - _lab(other), axis=2).mean())


def _lab(picture: Image.Image) -> npt.NDArray[np.float32]:
    small = picture.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return lab(np.asarray(small))
