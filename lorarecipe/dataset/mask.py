"""Where the figure is, pixel by pixel: for a training that leaves the background out."""

from __future__ import annotations

import numpy as np
from PIL import Image

from lorarecipe.colour import lab
from lorarecipe.dataset.backdrop import on_white
from lorarecipe.dataset.look import CUT_OUT
from lorarecipe.dataset.silhouette import silhouette

#: share of the longer side by which a mask is wider than its figure: a pixel of a latent at 512 pixels, so that tips of
#: hair are not lost when it is made an eighth as large
_WIDER = 1 / 64


def figure_mask(image: Image.Image) -> Image.Image:
    """Give the figure of an image: its alpha, or where it has none what is not background, a little wider.

    Parameters
    ----------
    image
        Upright, in any mode.

    Returns
    -------
    Image
        Of mode ``L`` and the same size: 255 where the figure is, 0 elsewhere.
    """
    from scipy import ndimage

    layered = image.convert("RGBA")
    figure = np.asarray(layered.getchannel("A"))
    if np.mean(figure < 255) < CUT_OUT:  # as nearly all programs save an opaque picture
        figure = silhouette(lab(np.asarray(on_white(layered)))).figure.astype(np.uint8) * 255
    wider = 2 * max(1, round(max(image.size) * _WIDER)) + 1
    return Image.fromarray(ndimage.grey_dilation(figure, (wider, wider)))
