from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from lorarecipe.colour import lab
from lorarecipe.dataset.backdrop import off_white, rim, shade
from lorarecipe.dataset.look import Look, look_at
from lorarecipe.dataset.silhouette import Silhouette, silhouette_by_alpha


def _figure(shoes: int = 60, background: str = "white") -> Image.Image:
    image = Image.new("RGB", (96, 160), background)
    draw = ImageDraw.Draw(image)
    draw.rectangle((36, 8, 60, 130), fill=(60, 80, 160))
    draw.rectangle((36, 130, 60, 150), fill=(shoes,) * 3)
    return image


def _shadowed() -> Image.Image:
    shadow = Image.new("L", (96, 160), 0)
    ImageDraw.Draw(shadow).ellipse((16, 138, 80, 158), fill=110)
    image = Image.new("RGB", (96, 160), "white")
    image.paste("black", mask=shadow.filter(ImageFilter.GaussianBlur(4)))
    figure = _figure()
    image.paste(figure, mask=figure.convert("L").point(lambda level: 255 * (level < 250)))
    return image


def _looked(image: Image.Image) -> Look:
    return look_at(image)


def test_a_shadow_is_told_from_shoes() -> None:
    soft, grey, elsewhere = _looked(_shadowed()).shade or (0, 0, 0)
    assert (soft > 0.6, 0.42 < grey < 0.86, elsewhere < 0.2) == (True, True, True)
    for shoes in (60, 150, 230):
        soft, grey, _ = _looked(_figure(shoes)).shade or (0, 0, 0)
        assert soft < 0.6 or grey > 0.86


def test_a_line_of_one_pixel_reaches_the_frame() -> None:
    image = _figure().resize((960, 1600))
    assert _looked(image).rim == (0, 0, 0, 0)
    ImageDraw.Draw(image).line((0, 1500, 959, 1500), fill=(200, 200, 200))
    assert list(_looked(image).rim) == pytest.approx([1 / 1600, 0, 1 / 1600, 0], abs=1e-4)
    ImageDraw.Draw(image).rectangle((0, 0, 959, 1599), outline="black")
    assert rim(image) == (1, 1, 1, 1)


def test_the_edges_of_a_turned_file_are_those_of_the_upright_image() -> None:
    upright = _figure()
    ImageDraw.Draw(upright).line((0, 150, 20, 150), fill="black")
    exif = Image.Exif()
    exif[274] = 6
    turned = upright.rotate(90, expand=True)
    turned.getexif().update(exif)
    assert _looked(turned).orientation == 6
    assert _looked(turned).rim == _looked(upright).rim


@pytest.mark.parametrize("background", ["#f5f5f5", "#c8c8c8", "#fffaf0"])
def test_a_tint(background: str) -> None:
    assert _looked(_figure(background=background)).off_white > 0.9


def test_white_clothes_in_shade_are_no_background() -> None:
    image = _figure()
    ImageDraw.Draw(image).rectangle((30, 40, 66, 100), fill=(244, 244, 244))
    assert _looked(image).off_white == 0


def test_alpha_tells_the_figure() -> None:
    image = Image.new("RGBA", (96, 160), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((36, 8, 60, 150), fill=(255, 255, 255, 255))
    look = _looked(image)
    assert list(look.box) == pytest.approx([36 / 96, 8 / 160, 61 / 96, 151 / 160], abs=0.02)
    assert (look.parts, look.figures, look.off_white, look.rim) == (1, 1, 0, (0, 0, 0, 0))
    shadow = Image.new("RGBA", (96, 160), (0, 0, 0, 0))
    ImageDraw.Draw(shadow).ellipse((2, 100, 94, 158), fill=(0, 0, 0, 90))
    assert _looked(Image.alpha_composite(shadow, image)).off_white > 0.05


def test_nothing_but_white() -> None:
    look = _looked(Image.new("RGB", (40, 40), "white"))
    assert (look.shade, look.off_white, look.parts) == (None, 0, 0)
    assert off_white(lab(np.full((4, 4, 3), 255, np.uint8)), _empty(), by_alpha=False) == 0
    assert shade(lab(np.full((4, 4, 3), 255, np.uint8)), _empty(), np.zeros((4, 4), bool)) is None


def _empty() -> Silhouette:
    return silhouette_by_alpha(np.zeros((4, 4), np.uint8))
