"""A small picture of a LoRA, for the metadata of its file."""

from __future__ import annotations

import base64
from io import BytesIO
from pathlib import Path

from PIL import Image

#: longest side in pixels: what ModelSpec asks for, and what keeps a header small
_SIDE = 256


def thumbnail(picture: Path) -> str:
    """Reduce a picture, and give it as a data URI of a JPEG, as ModelSpec has it."""
    with Image.open(picture) as opened:
        small = opened.convert("RGB")
    small.thumbnail((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    written = BytesIO()
    small.save(written, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"
