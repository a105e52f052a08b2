"""Colours as the eye sees them apart: CIE L*a*b*."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: linear sRGB to XYZ, each row over the D65 white that it makes (IEC 61966-2-1)
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_TO_XYZ /= _TO_XYZ.sum(axis=1, keepdims=True)
_TO_XYZ = _TO_XYZ.astype(np.float32)
_TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], dtype=np.float32)
_BLACK = np.array([16, 0, 0], dtype=np.float32)
_LEVEL = np.arange(256) / 255
_LINEAR = np.where(_LEVEL <= 0.04045, _LEVEL / 12.92, ((_LEVEL + 0.055) / 1.055) ** 2.4).astype(np.float32)


def lab(pixels: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Convert sRGB to L*a*b* (white D65, observer of 2 degrees).

    Parameters
    ----------
    pixels
        Whole levels from 0 to 255, of shape (..., 3).

    Returns
    -------
    ndarray
        L* from 0 to 100, a* and b*, of the same shape; distances between them are dE76.
    """
    share = _LINEAR.take(np.asarray(pixels, dtype=np.uint8)) @ _TO_XYZ.T
    cube, dark = np.cbrt(share), share <= (6 / 29) ** 3
    cube[dark] = share[dark] / (3 * (6 / 29) ** 2) + 4 / 29
    colours: npt.NDArray[np.float32] = cube @ _TO_LAB.T - _BLACK
    return colours
