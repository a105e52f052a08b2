from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from lorarecipe.demo import TARGETS
from lorarecipe.demo.quality import figure_of
from lorarecipe.demo.world import Figure, draw
from lorarecipe.measures.pixels import change, palette_distance, palette_of, seen, softness, white_border


def _figures(count: int) -> list[Figure]:
    dice = random.Random(7)
    return [figure_of(dice) for _ in range(count)]


def test_a_border_is_white_or_not() -> None:
    for number, figure in enumerate(_figures(40)):
        share = white_border(seen(draw(figure, "flat", 64, number)))
        assert (share > 0.5) == (figure.background == "white background"), figure
    assert white_border(seen(Image.new("RGB", (512, 768), (250, 250, 250)))) == 1
    assert white_border(seen(Image.new("RGB", (512, 768), (250, 250, 235)))) == 0  # tinted


@pytest.mark.parametrize("size", [64, 256, 768])
def test_renders_are_softer_than_drawings(size: int) -> None:
    """Of the means; single figures overlap a little at 64 pixels."""
    figures = _figures(24)
    flat, shaded = (np.mean([softness(seen(draw(f, look, size, 1))) for f in figures]) for look in ("flat", "3d"))
    assert shaded > flat + 0.15


def test_a_characters_colours_are_found_in_its_pictures() -> None:
    """In other places, poses and looks; another hair and dress are far off."""
    figure = replace(TARGETS["honey"], background="white background")
    palette = palette_of([seen(draw(replace(figure, zoom=zoom), "3d", 256, 1)) for zoom in ("full body", "upper body")])
    assert palette
    own = palette_distance(seen(draw(replace(figure, background="forest", pose="arms up"), "flat", 64, 2)), palette)
    other = replace(figure, hair="green hair", dress="red dress", background="night sky")
    assert own + 5 < palette_distance(seen(draw(other, "flat", 64, 2)), palette)
    assert palette.shares.sum() == pytest.approx(1)
    assert palette_distance(seen(draw(figure, "3d", 256, 1)), palette) < 4


def test_change() -> None:
    black, white = (seen(Image.new("RGB", (8, 8), (level,) * 3)) for level in (0, 255))
    assert change(black, black) == 0
    assert change(black, white) == pytest.approx(100, abs=0.1)
