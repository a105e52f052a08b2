"""The mark on every picture that is ours: by it we know later what may be written over."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, PngImagePlugin

from lorarecipe.files import open_regular

_MARK = ("Software", "lorarecipe")


def mark(**texts: str) -> PngImagePlugin.PngInfo:
    """Give the text chunks of a PNG of ours: the mark, and ``texts``."""
    chunks = PngImagePlugin.PngInfo()
    for name, text in (*texts.items(), _MARK):
        chunks.add_text(name, text)
    return chunks


def is_marked(path: Path) -> bool:
    """Look whether a picture is ours; one that cannot be read is not."""
    name, text = _MARK
    try:
        with open_regular(path) as stream, Image.open(stream) as image:
            return bool(image.info.get(name) == text)
    except (OSError, Image.DecompressionBombError):
        return False
