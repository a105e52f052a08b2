"""Small copies of pictures, to be put into the page."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, ImageOps

from lorarecipe.dataset.backdrop import on_white

#: longest side in pixels, and WebP's quality: a hundred are below two megabytes
_SIDE, _QUALITY = 256, 80


def small_copy(path: Path) -> str | None:
    """Give a picture as a data URL, or None where it cannot be read."""
    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened)
            picture = on_white(upright.convert("RGBA") if upright.has_transparency_data else upright.convert("RGB"))
    except (OSError, SyntaxError, ValueError):
        return None
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    drawn = io.BytesIO()
    picture.save(drawn, "WEBP", quality=_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(drawn.getvalue()).decode()
