"""A limit of Pillow's that a whole process shares."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

#: pixels; Pillow refuses an image of twice as many, and a render has one to four million
_PIXELS = 32_000_000


@contextmanager
def pixels_limited() -> Iterator[None]:
    """Refuse images of more than 64 million pixels; the limit that was set before comes back."""
    pixels = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = _PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = pixels
