"""What is behind a figure: tints, lines that reach the frame, shadows that touch the feet."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lorarecipe.dataset.silhouette import WHITE_LEVEL, Edges, Lab, Mask, Silhouette, inside, is_white, share

#: lowest part of a figure in which a shadow on the floor is seen
_FLOOR = 0.15
#: dE76 from white of a soft edge; lightness and chroma of a shadow
_SOFT, _SHADOW_LIGHTNESS, _SHADOW_CHROMA = 10.0, 60.0, 6.0


def off_white(colours: Lab, shape: Silhouette, *, by_alpha: bool) -> float:
    """Share of the background that is not white, but not within two pixels of the figure, where the two are mixed.

    Where no alpha tells the figure, what does not reach the frame is left out: it may be white clothes in shade.
    """
    from scipy import ndimage

    apart = inside(inside(shape.outside))
    if not apart.any():
        return 0.0
    tinted = ~is_white(colours)
    odd = apart & tinted
    if odd.any() and not by_alpha:
        areas, _ = ndimage.label(shape.outside & tinted)
        rim = np.unique(np.concatenate([areas[0], areas[-1], areas[:, 0], areas[:, -1]]))
        odd &= np.isin(areas, rim[rim > 0])
    return round(float(odd.sum() / apart.sum()), 4)


def rim(image: Image.Image) -> Edges:
    """Share of the left, upper, right and lower line of pixels that is not white, in full size: thin lines reach it.

    Parameters
    ----------
    image
        RGB, or RGBA, which is seen on white.
    """
    width, height = image.size
    boxes = ((0, 0, 1, height), (0, 0, width, 1), (width - 1, 0, width, height), (0, height - 1, width, height))
    left, upper, right, lower = (_not_white(on_white(image.crop(box))) for box in boxes)
    return left, upper, right, lower


def _not_white(line: Image.Image) -> float:
    if np.min(line.getextrema()) >= WHITE_LEVEL:  # as of nearly all renders
        return 0.0
    red, green, blue = np.moveaxis(np.asarray(line) < WHITE_LEVEL, -1, 0)
    return share(red | green | blue)


def shade(colours: Lab, shape: Silhouette, inner: Mask) -> tuple[float, float, float] | None:
    """Measure what tells a shadow that touches the feet.

    Parameters
    ----------
    colours
        L*a*b*, of shape (height, width, 3).
    shape
        The figure.
    inner
        The figure without its outermost pixels.

    Returns
    -------
    tuple of float
        Of the lowest 15 % of the figure: share of its edge that is nearly white, and share that is light grey. Of the
        rest: share of its edge that is nearly white, which is large where the whole figure is white.
    """
    if not (box := shape.box):
        return None
    figure = shape.figure
    below = box[3] - max(1, round(_FLOOR * (box[3] - box[1])))
    edge = figure & ~inner
    low, high = slice(below, None), slice(None, below)
    outer, lowest, upper = (colours[part][mask[part]] for part, mask in ((low, edge), (low, figure), (high, edge)))
    grey = (lowest[:, 0] > _SHADOW_LIGHTNESS) & (np.hypot(lowest[:, 1], lowest[:, 2]) < _SHADOW_CHROMA)
    return _faint(outer), share(grey) if grey.size else 0.0, _faint(upper)


def _faint(edge: Lab) -> float:
    """Share of pixels that are nearly white."""
    if not edge.size:
        return 0.0
    return share(((100 - edge[:, 0]) ** 2 + edge[:, 1] ** 2 + edge[:, 2] ** 2) < _SOFT**2)


def on_white(image: Image.Image) -> Image.Image:
    """Flatten an image on white, as the trainer's copy is."""
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
