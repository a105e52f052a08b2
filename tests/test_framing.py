from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lorarecipe.dataset import Caption, Group, Picture
from lorarecipe.dataset.captions import tags_of
from lorarecipe.dataset.look import look_at
from lorarecipe.rules.framing import shown_shares
from lorarecipe.rules.zoom_mismatch import _by_the_share, _in_the_wrong_order

_SHARES = {"portrait": 0.3, "upper body": 0.48, "cowboy shot": 0.62, "full body": 1.0}


def _figure(arms: int) -> Image.Image:
    image = Image.new("RGB", (600, 1000), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((240, 20, 360, 160), fill="brown")
    draw.polygon(
        [(280, 150), (320, 150), (390, 200), (350, 480), (400, 620), (340, 980), (260, 980), (200, 620)], fill="navy"
    )
    for side in (-1, 1):
        draw.line((300 + side * 60, 200, 300 + side * arms, 520), fill="black", width=40)
    return image


def _shot(zoom: str, arms: int, number: int) -> Picture:
    whole = _figure(arms)
    share = _SHARES[zoom]
    half = min(300, round(500 * share))
    image = whole if share == 1 else whole.crop((300 - half, 0, 300 + half, round(20 + 960 * share)))
    path = Path(f"{zoom} {number}.png")
    return Picture(path, *image.size, str(path), Caption(path.with_suffix(".txt"), tags_of(zoom)), look_at(image))


def _group(**other: str) -> Group:
    """Four shots of each zoom, from four views; ``other`` says which are called what instead."""
    pictures = [_shot(zoom, arms, number) for zoom in _SHARES for number, arms in enumerate((90, 110, 130, 150))]
    called = {name.replace("_", " ") + ".png": zoom for name, zoom in other.items()}
    return _grouped(
        *(
            replace(one, caption=Caption(one.path, tags_of(called.get(one.path.name, one.path.name[:-6]))))
            for one in pictures
        )
    )


def _grouped(*pictures: Picture) -> Group:
    return Group("base", Path("aoi"), 1, (), pictures, ())


def test_the_share_that_is_shown() -> None:
    shares = shown_shares(_group())
    assert len(shares) == 16
    for path, share in shares.items():
        assert share == pytest.approx(_SHARES[str(path)[:-6]], abs=0.04)
    assert _by_the_share(_group(), shares) == {}
    assert list(_in_the_wrong_order(_group(), shares)) == []


@pytest.mark.parametrize(
    ("name", "called", "said"),
    [
        ("portrait 1", "upper body", "which the others of 'portrait' show; write 'portrait'"),
        ("upper body 2", "cowboy shot", "write 'upper body'"),
        ("cowboy shot 0", "portrait", "write 'cowboy shot'"),
        ("cowboy shot 3", "full body", "expected it from head to feet"),
        ("upper body 0", "close-up", "expected less than the other zooms show"),
    ],
)
def test_another_zooms_name(name: str, called: str, said: str) -> None:
    group = _group(**{name: called})
    found = _by_the_share(group, shown_shares(group))
    assert {str(path) for path in found} == {f"{name}.png"}
    assert said in found[Path(f"{name}.png")]


def test_zooms_in_the_wrong_order() -> None:
    other = {f"portrait {number}": "upper body" for number in range(4)}
    other |= {f"upper body {number}": "portrait" for number in range(4)}
    group = _group(**other)
    [finding] = _in_the_wrong_order(group, shown_shares(group))
    assert finding.message.endswith("expected less with 'portrait'; exchange the zoom tags")


def test_nothing_is_said_without_full_shots() -> None:
    group = _group(**{f"full body {number}": "cowboy shot" for number in range(4)})
    assert shown_shares(group) == {}


def test_an_outline_that_does_not_fit_is_left_out() -> None:
    group = _group()
    wide = Image.fromarray(np.full((100, 300, 3), 255, np.uint8))
    ImageDraw.Draw(wide).rectangle((10, 10, 290, 99), fill="red")
    path = Path("wide.png")
    picture = Picture(path, 300, 100, "x", Caption(Path("wide.txt"), tags_of("portrait")), look_at(wide))
    assert path not in shown_shares(_grouped(*group.pictures, picture))
