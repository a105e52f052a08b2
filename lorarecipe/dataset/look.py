"""What an image looks like, in numbers that the rules ask for. One reading of the file gives them all."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from PIL import ExifTags, Image, ImageCms, ImageOps, ImageStat
from pydantic import StringConstraints

from lorarecipe.colour import lab
from lorarecipe.dataset.backdrop import off_white, on_white, rim, shade
from lorarecipe.dataset.outline import outline_of
from lorarecipe.dataset.silhouette import (
    Edges,
    Lab,
    Silhouette,
    inside,
    is_white,
    share,
    silhouette,
    silhouette_by_alpha,
)
from lorarecipe.dataset.tones import Colour, hair, light, pale, rounded, skin

#: raised whenever the same file would give other numbers
VERSION = 2
#: longest side of the copy that is measured, pixels: enough for an arm, little beside the decoding
_SMALL = 96
_SAMPLES = 3
#: sides of the corners that are looked at, pixels
_CORNER = 4
#: share of transparent pixels from which the alpha channel tells the figure
CUT_OUT = 0.01
#: cells of the perceptual hash each way, and levels between neighbours that count: saved as JPEG or at a quarter of the
#: size, the demo's renders differ in at most 6 of the 1024 bits; front and back of one figure in 17 or more
_HASH, _STEP = 32, 8


#: bytes as hexadecimal digits
Hexadecimal = Annotated[str, StringConstraints(pattern="^(?:[0-9a-f]{2})*$")]


@dataclass(frozen=True)
class Look:
    """Measures of one image, upright. Shares are from 0 to 1, colours L*a*b*."""

    frames: int = 1
    orientation: int = 1
    """As EXIF counts it; 1 is upright."""
    profile: str = ""
    """Description of a colour profile other than sRGB."""
    clear: float = 0.0
    """Share of the pixels that are not opaque."""
    hidden: str = ""
    """Colour (``#rrggbb``) that the fully transparent pixels have beneath, unless it is white."""
    off_white: float = 0.0
    """Share of the background round the figure that is not white."""
    corners: Edges = (0.0, 0.0, 0.0, 0.0)
    """Share of the upper left, upper right, lower right and lower left corner that is not white."""
    ground: Colour = (100.0, 0.0, 0.0)
    """Mean colour of what is not white in the corners."""
    box: Edges = (0.0, 0.0, 0.0, 0.0)
    """Left, top, right and bottom of the figure, in widths and heights of the image."""
    touches: Edges = (0.0, 0.0, 0.0, 0.0)
    """Share of the left, upper, right and lower edge that the figure covers."""
    rim: Edges = (0.0, 0.0, 0.0, 0.0)
    """Share of the left, upper, right and lower line of pixels, in full size, that is not white."""
    shade: tuple[float, float, float] | None = None
    """What tells a shadow at the feet: see ``backdrop.shade``."""
    parts: int = 0
    """Parts of the figure that are no specks."""
    figures: int = 0
    limbs: tuple[float, float] | None = None
    """How far limbs stretch to both sides, and their thickness over that: see ``Outline.limbs``."""
    hands: float = 0.0
    """Widest row at the height of hanging hands, in heights of the figure."""
    widths: Hexadecimal = ""
    """Widths of the figure from its top to its lower end: see ``Outline.widths``."""
    span: float = 0.0
    """Widest row between neck and hips, in heights of the figure."""
    hair: Colour | None = None
    """Median colour of the crown: the uppermost part of the figure."""
    light: tuple[float, float] | None = None
    """Mean and spread of L* over the figure."""
    skin: Edges | None = None
    """Share of the figure that has a colour of skin, mean and spread of its L*, and its median C*."""
    pale: Edges | None = None
    """Share of the figure that is white or light grey, its L* (that a tenth exceeds), and its median a* and b*."""
    print: Hexadecimal = ""
    """Perceptual hash: 1024 bits as hexadecimal digits, each whether a cell is clearly darker than its right one."""
    mirrored: Hexadecimal = ""
    """The same of the mirrored image."""


def look_at(image: Image.Image) -> Look:  # long: a line for each measure
    """Measure a decoded image.

    Everything but the counts of transparent pixels is measured on a copy whose longer side is at most 96 pixels,
    averaged over samples of whole blocks, and flattened on white as the trainer's copy is.
    """
    frames = getattr(image, "n_frames", 1)
    image, orientation = eight_bit(image), orientation_of(image)
    clear, hidden = _transparency(image) if image.has_transparency_data else (0.0, "")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    drawn = image if image.mode == mode else image.convert(mode)
    small = _upright(_reduced(drawn), orientation)
    by_alpha = clear >= CUT_OUT
    alpha = np.asarray(small.getchannel("A")) if by_alpha else None
    small = on_white(small)
    colours = lab(np.asarray(small))
    shape = silhouette(colours) if alpha is None else silhouette_by_alpha(alpha)
    corners, ground = _corners(colours)
    figure, area = shape.figure, colours[shape.figure]
    inner, outline = inside(figure), outline_of(shape)
    own, mirrored = _prints(small)
    return Look(
        frames=frames,
        orientation=orientation,
        profile=_profile(image.info.get("icc_profile")),
        clear=clear,
        hidden=hidden,
        off_white=off_white(colours, shape, by_alpha=by_alpha),
        corners=corners,
        ground=ground,
        box=_box(shape),
        touches=(share(figure[:, 0]), share(figure[0]), share(figure[:, -1]), share(figure[-1])),
        rim=_turned(rim(drawn), orientation),
        shade=shade(colours, shape, inner),
        parts=len(shape.parts),
        figures=shape.figures,
        limbs=outline.limbs,
        hands=outline.hands,
        widths=outline.widths,
        span=outline.span,
        hair=hair(colours, inner),
        light=light(area) if area.size else None,
        skin=skin(area) if area.size else None,
        pale=pale(colours[inner]),
        print=own,
        mirrored=mirrored,
    )


def eight_bit(image: Image.Image) -> Image.Image:
    """Give an image of 16-bit grey in 8 bits; Pillow itself would cut every level above 255 down to white."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.uint32) // 257).clip(0, 255).astype(np.uint8))


def orientation_of(image: Image.Image) -> int:
    """Read the EXIF orientation; 1, upright, where there is none or none that can be read."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (OSError, ValueError, SyntaxError, TypeError, KeyError):
        return 1
    return orientation if orientation in range(1, 9) else 1


def _reduced(image: Image.Image) -> Image.Image:
    """Average blocks of pixels, of large ones three samples each way; all of them would take twice as long."""
    block = -(-max(image.size) // _SMALL)
    apart = max(1, block // _SAMPLES)
    if apart > 1:
        size = (max(1, image.width // apart), max(1, image.height // apart))
        image = image.resize(size, Image.Resampling.NEAREST)
    return image.reduce(-(-max(image.size) // _SMALL))


def _upright(small: Image.Image, orientation: int) -> Image.Image:
    if orientation == 1:
        return small
    small.info = {}  # a copy of the file's own, which may be broken
    small.getexif()[ExifTags.Base.Orientation] = orientation
    return ImageOps.exif_transpose(small)


def _corners(colours: Lab) -> tuple[Edges, Colour]:
    """Share of each corner that is not white, and the mean colour of what is not."""
    high, low = colours[:_CORNER], colours[-_CORNER:]
    corners = np.stack([high[:, :_CORNER], high[:, -_CORNER:], low[:, -_CORNER:], low[:, :_CORNER]])
    odd = ~is_white(corners)
    ground = rounded(corners[odd].mean(axis=0)) if odd.any() else (100.0, 0.0, 0.0)
    return (share(odd[0]), share(odd[1]), share(odd[2]), share(odd[3])), ground


def _transparency(image: Image.Image) -> tuple[float, str]:
    """Share of the pixels that are not opaque, and the colour beneath those that cannot be seen at all."""
    layered = image.convert("RGBA")
    alpha = layered.getchannel("A")
    counts = alpha.histogram()
    if not counts[0]:
        return round(1 - counts[255] / sum(counts), 4), ""
    unseen = alpha.point(lambda level: 255 * (level == 0))
    beneath = ImageStat.Stat(layered.convert("RGB"), unseen).median
    hidden = "" if min(beneath) >= 247 else "#" + "".join(f"{level:02x}" for level in beneath)
    return round(1 - counts[255] / sum(counts), 4), hidden


def _profile(content: bytes | None) -> str:
    if not content:
        return ""
    try:
        description = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(content))).strip()
    except (ImageCms.PyCMSError, OSError):
        return "a profile that cannot be read"
    return "" if "srgb" in description.lower() else description or "a profile without a name"


#: EXIF orientation -> for the left, upper, right and lower edge of the upright image, which of the file's it is
_EDGES = {
    2: (2, 1, 0, 3),
    3: (2, 3, 0, 1),
    4: (0, 3, 2, 1),
    5: (1, 0, 3, 2),
    6: (3, 0, 1, 2),
    7: (3, 2, 1, 0),
    8: (1, 2, 3, 0),
}


def _turned(edges: Edges, orientation: int) -> Edges:
    """Give the measures of a file's edges as those of the upright image."""
    left, upper, right, lower = (edges[edge] for edge in _EDGES.get(orientation, (0, 1, 2, 3)))
    return left, upper, right, lower


def _box(shape: Silhouette) -> Edges:
    height, width = shape.figure.shape
    left, top, right, bottom = shape.box or (0, 0, 0, 0)
    return (round(left / width, 4), round(top / height, 4), round(right / width, 4), round(bottom / height, 4))


def _prints(small: Image.Image) -> tuple[str, str]:
    """Give the perceptual hashes of an image and of its mirror image."""
    cells = np.asarray(small.convert("L").resize((_HASH + 1, _HASH), Image.Resampling.BILINEAR), dtype=np.int16)
    own, mirrored = (np.packbits(np.diff(seen, axis=1) > _STEP).tobytes().hex() for seen in (cells, cells[:, ::-1]))
    return own, mirrored
