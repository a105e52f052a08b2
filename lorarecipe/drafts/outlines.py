"""Propose zoom and view of images whose names say nothing, from the outline and from the skin of the face."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from lorarecipe.colour import lab
from lorarecipe.dataset import Caption, Group, Picture, Tag, eight_bit
from lorarecipe.dataset.backdrop import on_white
from lorarecipe.dataset.look import Look
from lorarecipe.dataset.silhouette import Lab
from lorarecipe.dataset.tones import skin_of
from lorarecipe.rules.framing import shown_shares

#: share of the upper edge that a figure covers in a close-up
_CUT_ABOVE = 0.25
#: largest share of the figure, from its top, that a zoom shows: between those of real renders (rule IMG011), which are
#: 0.32 in portraits, 0.48 of upper bodies and 0.61 in cowboy shots
_SHOWN = {"close-up": 0.22, "portrait": 0.40, "upper body": 0.54, "cowboy shot": 0.74, "feet out of frame": 0.94}
#: of a figure's height, its head; where in a head the face is, from its top; and how wide, in heights of the head
_HEAD, _FACE, _WIDE = 0.16, (0.35, 0.8), 0.5
#: upright strips that a face is cut into: a profile's skin lies in some of them
_STRIPS = 3
#: longest side of the copy of a face that is measured, pixels
_FACE_SIZE = 96
#: share of a face that is skin: of the barest image of a zoom at least; of that, a back view at most. Of 133 real
#: renders of seven characters these tell 124 rightly; what is wrong is mostly a profile behind long hair
_BARE, _BEHIND = 0.05, 0.2


@dataclass(frozen=True)
class Shot:
    """What an image seems to show; None where that is not known."""

    zoom: str | None
    behind: bool | None = None


def propose_shots(group: Group) -> dict[Path, Shot]:
    """Propose the zoom and the view of each image of a character.

    The zoom follows from the frame's edges and, where the lower one cuts the figure, by fitting its outline to those of
    the same character's full shots. A view from behind shows far less skin where the face is than the other images of
    the same zoom do; of close-ups none is proposed.
    """
    zooms, shares = _zooms(group)
    bare = {path: _bareness(path, picture.look, shares.get(path, 1.0)) for path, picture in _seen(group).items()}
    most = {zoom: max(bare[path] for path in bare if zooms[path] == zoom) for zoom in {*zooms.values()}}
    shots = {path: Shot(zoom, _is_behind(zoom, bare[path], most[zoom])) for path, zoom in zooms.items()}
    return {picture.path: shots.get(picture.path, Shot(None)) for picture in group.pictures}


def _is_behind(zoom: str | None, bare: float, most: float) -> bool | None:
    if zoom == "close-up":
        return False
    return bare <= _BEHIND * most if most >= _BARE and zoom else None


def _seen(group: Group) -> dict[Path, Picture]:
    return {picture.path: picture for picture in group.pictures if not picture.problem and picture.look.figures}


def _zooms(group: Group) -> tuple[dict[Path, str | None], dict[Path, float]]:
    """Give the zoom of each image, and the share of the figure that it shows, where they are known."""
    found: dict[Path, str | None] = {}
    pictures = []
    for path, picture in _seen(group).items():
        look, tags = picture.look, tuple[Tag, ...]()
        if look.touches[1] > _CUT_ABOVE:
            found[path] = "close-up"
        elif not look.touches[3]:
            found[path] = "full body"
            tags = (Tag("full body", 1),)
        pictures.append(replace(picture, caption=Caption(path, tags)))
    shares = shown_shares(replace(group, pictures=tuple(pictures)))
    for path in _seen(group):
        if path not in found:
            found[path] = _zoom_of(shares[path]) if path in shares else None
    return found, shares


def _zoom_of(shown: float) -> str:
    return next((zoom for zoom, most in _SHOWN.items() if shown <= most), "full body")


def _bareness(path: Path, look: Look, shown: float) -> float:
    """Give the share of skin where a figure's face is; ``shown`` is how much of the figure the frame has."""
    with Image.open(path) as opened:
        upright = ImageOps.exif_transpose(eight_bit(opened))
        image = on_white(upright.convert("RGBA" if upright.has_transparency_data else "RGB"))
    left, top, right, bottom = look.box
    head = (bottom - top) * image.height * _HEAD / shown
    middle, above = (left + right) / 2 * image.width, top * image.height
    sides = middle - _WIDE * head, middle + _WIDE * head
    rows = above + _FACE[0] * head, above + _FACE[1] * head
    face = image.crop((round(sides[0]), round(rows[0]), round(sides[1]) + 1, round(rows[1]) + 1))
    face.thumbnail((_FACE_SIZE, _FACE_SIZE), Image.Resampling.BOX)
    strips = np.array_split(lab(np.asarray(face)), _STRIPS, axis=1)
    return max(_skin_share(strip.reshape(-1, 3)) for strip in strips)


def _skin_share(pixels: Lab) -> float:
    return len(skin_of(pixels)) / len(pixels) if len(pixels) else 0.0
