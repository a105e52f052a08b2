"""Draw a figure from its attributes, in two looks: flat with outlines, or shaded as a 3D render.

The attributes are named by the tags that captions use, so that a drawn picture and its caption cannot disagree.
Everything is drawn on a canvas of 256 x 256 pixels and then reduced.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Colour = tuple[int, int, int]
Pen = ImageDraw.ImageDraw
Shape = Callable[[Pen], None]
Look = Literal["flat", "3d"]

_CANVAS = 256
_SKIN: Colour = (250, 218, 195)
_SUIT: Colour = (150, 155, 165)
_LINE: Colour = (40, 32, 38)

#: hair colours that the world has tags for, as sRGB; a character may have any other
HAIR: dict[str, Colour] = {
    "red hair": (200, 45, 45),
    "green hair": (60, 155, 70),
    "blue hair": (55, 85, 195),
    "white hair": (228, 228, 234),
    "black hair": (45, 40, 48),
    "brown hair": (125, 80, 45),
    "pink hair": (240, 140, 185),
    "purple hair": (130, 65, 170),
    "blonde hair": (242, 212, 96),
}
DRESSES: dict[str, Colour] = {
    "red dress": (190, 55, 65),
    "blue dress": (65, 95, 185),
    "green dress": (75, 145, 85),
    "yellow dress": (235, 205, 80),
}
STYLES = ("short hair", "long hair", "ponytail", "twintails")
POSES = ("arms at sides", "arms up", "arm up")
VIEWS = ("front", "from behind")
ZOOMS = ("full body", "upper body")
BACKGROUNDS = ("white background", "forest", "beach", "night sky", "pink background")

#: part of the canvas that a zoom shows: left, top, right, bottom
_FRAMES = {"full body": (0, 0, 256, 256), "upper body": (48, 4, 208, 164)}


@dataclass(frozen=True)
class Figure:
    """A figure and the picture that it stands in.

    ``hair`` is a tag of ``HAIR`` or any colour (sRGB); ``dress`` a tag of ``DRESSES``, or none for a grey suit.
    """

    hair: str | Colour
    style: str
    dress: str | None = None
    pose: str = "arms at sides"
    view: str = "front"
    zoom: str = "full body"
    background: str = "white background"

    @property
    def tags(self) -> tuple[str, ...]:
        """All that the picture shows, as tags; ``front`` is no tag, and a colour without a tag has none."""
        hair = (self.hair,) if isinstance(self.hair, str) else ()
        dress = (self.dress,) if self.dress else ()
        view = (self.view,) if self.view != "front" else ()
        return (*hair, self.style, *dress, self.background, self.pose, *view, self.zoom)


def draw(figure: Figure, look: Look, size: int = 64, seed: int = 0) -> Image.Image:
    """Draw a figure.

    Parameters
    ----------
    figure
        What to draw.
    look
        ``flat``: plain colours inside dark outlines; ``3d``: shaded and highlighted, without outlines.
    size
        Side of the picture in pixels.
    seed
        Moves what no tag names: the figure by a few pixels (not in the ``3d`` look, whose camera stands still), and
        the scene's details.

    Returns
    -------
    Image
        Square, RGB.
    """
    dice = random.Random(seed)
    canvas = _scene(figure.background, dice)
    shift = dice.randint(-6, 6) if look == "flat" else 0
    for colour, shape in _parts(figure):
        mask = Image.new("L", (_CANVAS, _CANVAS))
        shape(ImageDraw.Draw(mask))
        mask = mask.transform(mask.size, Image.Transform.AFFINE, (1, 0, -shift, 0, 1, 0))
        if look == "flat":
            canvas.paste(_LINE, mask=_widened(mask))
            canvas.paste(colour, mask=mask)
        else:
            canvas.paste(_shaded(colour, mask), mask=mask)
    return canvas.crop(_FRAMES[figure.zoom]).resize((size, size), Image.Resampling.LANCZOS)


def _widened(mask: Image.Image) -> Image.Image:
    """Widen a mask by 3 pixels; only the part round it is looked at, for the filter is slow."""
    box = mask.getbbox()
    if box:
        near = (max(0, box[0] - 3), max(0, box[1] - 3), min(_CANVAS, box[2] + 3), min(_CANVAS, box[3] + 3))
        wide = Image.new("L", mask.size)
        wide.paste(mask.crop(near).filter(ImageFilter.MaxFilter(7)), near)
        return wide
    return mask


def _parts(figure: Figure) -> list[tuple[Colour, Shape]]:
    """Parts of a figure from back to front: a colour, and how to draw where it is."""
    hair = HAIR[figure.hair] if isinstance(figure.hair, str) else figure.hair
    mane = [(hair, shape) for shape in _mane(figure.style)]
    legs, cloth = (_SKIN, DRESSES[figure.dress]) if figure.dress else (_SUIT, _SUIT)
    hem = 22 if figure.dress else 0
    body: list[tuple[Colour, Shape]] = [
        (legs, lambda pen: pen.rounded_rectangle((109, 178, 126, 246), 7, fill=255)),
        (legs, lambda pen: pen.rounded_rectangle((130, 178, 147, 246), 7, fill=255)),
        *((_SKIN, arm) for arm in _arms(figure.pose)),
        (cloth, _torso(hem)),
        (_SKIN, lambda pen: pen.rectangle((120, 94, 136, 114), fill=255)),
    ]
    crown: tuple[Colour, Shape] = (hair, lambda pen: pen.chord((88, 20, 168, 100), 180, 360, fill=255))
    if figure.view == "from behind":
        return [*body, (hair, lambda pen: pen.ellipse((90, 22, 166, 106), fill=255)), *mane]
    face: list[tuple[Colour, Shape]] = [
        (_SKIN, lambda pen: pen.ellipse((96, 32, 160, 102), fill=255)),
        crown,
        *(((60, 50, 110), _eye(x)) for x in (113, 143)),
        ((190, 80, 80), lambda pen: pen.ellipse((122, 88, 134, 92), fill=255)),
    ]
    return [*mane, *body, *face]


def _mane(style: str) -> list[Shape]:
    """Hair that hangs behind the head (from behind: in front of all else)."""
    if style == "long hair":
        return [lambda pen: pen.rounded_rectangle((88, 50, 168, 142), 24, fill=255)]
    if style == "ponytail":
        return [lambda pen: pen.polygon([(128, 26), (186, 30), (206, 90), (190, 150), (176, 90), (150, 50)], fill=255)]
    if style == "twintails":
        left = [(96, 40), (66, 44), (46, 100), (56, 160), (76, 110), (98, 70)]
        right = [(256 - x, y) for x, y in left]
        return [lambda pen: pen.polygon(left, fill=255), lambda pen: pen.polygon(right, fill=255)]
    return [lambda pen: pen.ellipse((86, 26, 170, 104), fill=255)]


def _torso(hem: int) -> Shape:
    """Chest and hips; a dress widens towards its hem (pixels on either side)."""
    outline = [(103, 110), (153, 110), (148, 150), (156 + hem, 190 + hem), (100 - hem, 190 + hem), (108, 150)]
    return lambda pen: pen.polygon(outline, fill=255)


def _arms(pose: str) -> list[Shape]:
    down, up = 176, 46
    left, right = {"arms at sides": (down, down), "arms up": (up, up), "arm up": (down, up)}[pose]
    return [_arm(108, 86 if left == down else 66, left), _arm(148, 170 if right == down else 190, right)]


def _arm(shoulder: int, hand: int, height: int) -> Shape:
    def shape(pen: Pen) -> None:
        pen.line((shoulder, 118, hand, height), fill=255, width=15)
        pen.ellipse((hand - 9, height - 9, hand + 9, height + 9), fill=255)

    return shape


def _eye(x: int) -> Shape:
    return lambda pen: pen.ellipse((x - 6, 64, x + 6, 82), fill=255)


def _shaded(colour: Colour, mask: Image.Image) -> Image.Image:
    """Light a part as if it were round: Lambert's law from the upper left, a highlight where it faces the light."""
    height = np.asarray(mask.filter(ImageFilter.GaussianBlur(9)), dtype=np.float32) / 255
    down, across = np.gradient(height)
    normal = np.stack([-across * 26, -down * 26, np.ones_like(height)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.array([-0.45, -0.6, 0.66], dtype=np.float32)
    facing = np.clip(normal @ light, 0, 1)[..., None]
    lit = np.asarray(colour, dtype=np.float32) * (0.35 + 0.8 * facing) + 120 * facing**24
    return Image.fromarray(np.clip(lit, 0, 255).astype(np.uint8))


def _scene(background: str, dice: random.Random) -> Image.Image:
    plain = {"white background": (255, 255, 255), "pink background": (255, 188, 208), "night sky": (18, 18, 62)}
    image = Image.new("RGB", (_CANVAS, _CANVAS), plain.get(background, (120, 195, 240)))
    pen = ImageDraw.Draw(image)
    if background == "forest":
        pen.rectangle((0, 0, 256, 200), fill=(60, 125, 70))
        pen.rectangle((0, 200, 256, 256), fill=(95, 120, 55))
        for _ in range(7):
            x = dice.randint(0, 256)
            pen.rectangle((x - 6, 60, x + 6, 210), fill=(85, 60, 40))
            pen.ellipse((x - 34, 4, x + 34, 110), fill=(25, 85 + dice.randint(0, 40), 45))
    elif background == "beach":
        pen.rectangle((0, 120, 256, 176), fill=(45, 125, 200))
        pen.rectangle((0, 176, 256, 256), fill=(240, 222, 165))
    elif background == "night sky":
        for _ in range(40):
            x, y = dice.randint(0, 256), dice.randint(0, 256)
            pen.ellipse((x - 2, y - 2, x + 2, y + 2), fill=(255, 255, 205))
    return image
