"""An image of a set: read once, decoded to its end, measured."""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image, UnidentifiedImageError

from lorarecipe.dataset.captions import Caption
from lorarecipe.dataset.look import Look, look_at
from lorarecipe.files import read_file

#: what sd-scripts reads without a plug-in; the letter case is levelled when an image is staged
EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
#: bytes; a render of four million pixels has a twentieth of it, uncompressed
_LARGEST = 256_000_000
#: EXIF orientations from this one up turn an image by a quarter
_QUARTER_TURN = 5


class Measured(NamedTuple):
    """What was read of an image file; its size is upright."""

    width: int
    height: int
    digest: str
    look: Look


@dataclass(frozen=True)
class Problem:
    """Why an image cannot be read: it is no image, ends early, would fill the memory, or lies outside its folder."""

    kind: Literal["unreadable", "truncated", "bomb", "outside"]
    message: str


@dataclass(frozen=True)
class Picture:
    """An image, upright: its size is what the trainer will see."""

    path: Path
    width: int
    height: int
    digest: str
    caption: Caption | None
    look: Look = field(default=Look(), compare=False)
    problem: Problem | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """Tags of the caption, as far as there is one."""
        return self.caption.words if self.caption else ()


def read_image(path: Path) -> Measured | Problem:
    """Decode an image to its end, for a truncated one opens without complaint."""
    opened = False
    try:
        if (size := path.stat().st_size) > _LARGEST:
            return Problem("bomb", f"{size} bytes")
        content = read_file(path, size)
        with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
            opened = True
            image.load()
            opened = False
            width, height = image.size
            look = look_at(image)
    except Image.DecompressionBombError as problem:
        return Problem("bomb", str(problem))
    except UnidentifiedImageError:
        return Problem("unreadable", _kind_of(content))
    except (OSError, ValueError, SyntaxError) as problem:
        return Problem("truncated" if opened else "unreadable", str(problem))
    if look.orientation >= _QUARTER_TURN:
        width, height = height, width
    return Measured(width, height, hashlib.sha256(content).hexdigest(), look)


#: how files begin that are taken for images, by what they are
_BEGINNINGS = {
    r"\s*<(!doctype html|html|\?xml|svg)": "a web page or an XML file",
    r"....ftyp(avif|avis)": "an AVIF image",
    r"....ftyp(heic|heix|mif1|msf1)": "a HEIC image",
    r"\xff\x0a|\x00\x00\x00\x0cJXL ": "a JPEG XL image",
    r"GIF8": "a GIF image",
    r"II\*\x00|MM\x00\*": "a TIFF image",
    r"8BPS": "a Photoshop file",
    r"PK\x03\x04": "a ZIP archive",
    r"%PDF": "a PDF file",
    r"version https://git-lfs": "a Git LFS pointer: the image itself was not downloaded",
}


def _kind_of(content: bytes) -> str:
    """Say what a file is that is no image which the trainer reads."""
    if not content:
        return "the file is empty"
    head = content[:64].decode("latin-1")
    found = next((what for begin, what in _BEGINNINGS.items() if re.match(begin, head, re.I | re.S)), None)
    return f"it is {found}" if found else "it is none that the trainer reads: PNG, JPEG, WebP, BMP"
