"""What is behind a figure: tints, lines that reach the frame, shadows that touch the feet."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lorarecipe.colour import lab
from lorarecipe.dataset.silhouette import Edges, Lab, Silhouette, grown, is_white, share

#: lowest part of a figure in which a shadow on the floor is seen
_FLOOR = 0.15
#: dE76 from white of a soft edge; lightness and chroma of a shadow
_SOFT, _SHADOW_LIGHTNESS, _SHADOW_CHROMA = 10.0, 60.0, 6.0


def off_white(colours: Lab, shape: Silhouette, *, by_alpha: bool) -> float:
    """Share of the background that is not white, but not within two pixels of the figure, where the two are mixed.

    Where no alpha tells the figure, what does not reach the frame is left out: it may be white clothes in shade.
    """
    from scipy import ndimage

    apart = shape.outside & ~grown(~shape.outside, steps=2)
    if not apart.any():
        return 0.0
    odd = apart & ~is_white(colours)
    if odd.any() and not by_alpha:
        areas, _ = ndimage.label(shape.outside & ~is_white(colours))
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
    left, upper, right, lower = (share(~is_white(lab(np.asarray(on_white(image.crop(box)))))) for box in boxes)
    return left, upper, right, lower


def shade(colours: Lab, shape: Silhouette) -> tuple[float, float, float] | None:
    """Measure what tells a shadow that touches the feet.

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
    edge = figure & grown(~figure)
    faint = np.linalg.norm(colours - np.array([100, 0, 0]), axis=-1) < _SOFT
    grey = (colours[..., 0] > _SHADOW_LIGHTNESS) & (np.hypot(colours[..., 1], colours[..., 2]) < _SHADOW_CHROMA)
    low, high = slice(below, None), slice(None, below)
    shares = (faint[low][edge[low]], grey[low][figure[low]], faint[high][edge[high]])
    soft, neutral, elsewhere = (share(values) if values.size else 0.0 for values in shares)
    return soft, neutral, elsewhere


def on_white(image: Image.Image) -> Image.Image:
    """Flatten an image on white, as the trainer's copy is."""
    if image.mode != "RGBA":
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
