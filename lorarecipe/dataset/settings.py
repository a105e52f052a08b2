"""Settings that a whole process shares, and that measuring many images needs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image

#: pixels; Pillow refuses an image of twice as many, and a render has one to four million
_PIXELS = 32_000_000
#: seconds after which a thread that measures lets another one go on
_TURN = 2e-4


@contextmanager
def process_settings() -> Iterator[None]:
    """Refuse images of more than 64 million pixels, and let threads take turns often; what was set before comes back.

    A thread that decodes comes back to Python after every few kilobytes, and would wait up to 5 ms each time while
    another measures. On a busy machine a first check took 1.6 times as long as the decoding alone before, and 1.0 to
    1.2 times after; on an idle one no difference was seen.
    """
    pixels, turn = Image.MAX_IMAGE_PIXELS, sys.getswitchinterval()
    Image.MAX_IMAGE_PIXELS = _PIXELS
    sys.setswitchinterval(min(turn, _TURN))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = pixels
        sys.setswitchinterval(turn)
