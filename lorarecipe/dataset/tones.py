"""Colours of a figure's parts: its hair, its skin, what is pale, and the light over all of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lorarecipe.dataset.silhouette import Edges, Lab, Mask, share

Colour = tuple[float, float, float]

#: share of the figure, from above, that is taken for hair
_CROWN = 0.04
#: skin as renders have it: L* from; C* from and to; hue angle from and to, in degrees (blonde hair lies above)
_SKIN_LIGHTNESS, _SKIN_CHROMA, _SKIN_HUE = 50.0, (6.0, 40.0), (25.0, 75.0)
#: white and light grey clothes, also in coloured light: L* from, C* below
_PALE_LIGHTNESS, _PALE_CHROMA = 65.0, 12.0


def hair(colours: Lab, inner: Mask) -> Colour | None:
    """Give the median colour of the crown, of a figure without its outermost pixels.

    Go down from the top until enough of the figure is seen; the outermost pixels are mixed with the background.
    """
    rows = np.cumsum(inner.sum(axis=1))
    if not rows[-1]:
        return None
    below = int(np.searchsorted(rows, _CROWN * rows[-1])) + 1
    return rounded(np.median(colours[:below][inner[:below]], axis=0))


def light(area: Lab) -> tuple[float, float]:
    """Mean and spread of L* over pixels, of shape (count, 3)."""
    return round(float(area[:, 0].mean()), 2), round(float(area[:, 0].std()), 2)


def skin_of(area: Lab) -> Lab:
    """Give the pixels that have a colour of skin, of shape (count, 3)."""
    found = area[area[:, 0] >= _SKIN_LIGHTNESS]
    found = found[_within(np.hypot(found[:, 1], found[:, 2]), _SKIN_CHROMA)]
    return found[_within(np.degrees(np.arctan2(found[:, 2], found[:, 1])), _SKIN_HUE)]


def skin(area: Lab) -> Edges | None:
    """Share of pixels that have a colour of skin, mean and spread of their L*, and their median C*."""
    found = skin_of(area)
    if not found.size:
        return None
    part, chroma = round(len(found) / len(area), 4), np.hypot(found[:, 1], found[:, 2])
    return part, *light(found), round(float(np.median(chroma)), 2)


def pale(area: Lab) -> Edges | None:
    """Share of pixels that are white or light grey, the L* that a tenth of them exceeds, and their median a* and b*."""
    of_pale = (area[:, 0] >= _PALE_LIGHTNESS) & (area[:, 1] ** 2 + area[:, 2] ** 2 < _PALE_CHROMA**2)
    found = area[of_pale]
    if not found.size:
        return None
    middle, bright = len(found) // 2, len(found) * 9 // 10
    lightness, a, b = (np.sort(values).astype(float).round(2) for values in found.T)
    return share(of_pale), float(lightness[bright]), float(a[middle]), float(b[middle])


def _within(values: npt.NDArray[np.float32], ends: tuple[float, float]) -> Mask:
    return (values >= ends[0]) & (values <= ends[1])


def rounded(colour: npt.NDArray[np.floating]) -> Colour:
    """Give a colour in plain numbers of two digits."""
    lightness, a, b = (round(float(value), 2) for value in colour)
    return lightness, a, b
