"""The small picture that a file's metadata may hold."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping
from dataclasses import dataclass

THUMBNAIL = "modelspec.thumbnail"


@dataclass(frozen=True)
class Thumbnail:
    """A picture in the metadata."""

    bytes: int
    """Bytes of the picture's file."""
    width: int | None
    """None where it is no picture that can be read."""
    height: int | None
    form: str
    """``JPEG``, ``PNG``, ...; empty where it cannot be read."""


def thumbnail_of(metadata: Mapping[str, str]) -> Thumbnail | None:
    """Look at the picture of ``modelspec.thumbnail``, an address that holds it in base64; None where there is none."""
    text = metadata.get(THUMBNAIL)
    if not text:
        return None
    try:
        content = base64.b64decode(text.partition(",")[2], validate=True)
    except binascii.Error:
        return Thumbnail(len(text), None, None, "")
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG", "WEBP")) as picture:
            return Thumbnail(len(content), *picture.size, picture.format or "")
    except (OSError, ValueError, Image.DecompressionBombError):
        return Thumbnail(len(content), None, None, "")
