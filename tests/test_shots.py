from __future__ import annotations

from pathlib import Path

import pytest

from lorarecipe.dataset import Caption, Group, Picture
from lorarecipe.dataset.captions import tags_of
from lorarecipe.dataset.look import Look
from lorarecipe.dataset.tones import Colour
from lorarecipe.rules.shots import hair_of

_RED, _ALSO_RED, _HAT = (32.0, 48.0, 32.0), (38.0, 45.0, 30.0), (20.0, 2.0, -30.0)


def _group(*crowns: Colour, caption: str = "full body", traits: tuple[str, ...] = ()) -> Group:
    looks = [Look(hair=crown, figures=1, parts=1) for crown in crowns]
    pictures = tuple(
        Picture(Path(f"{number}.png"), 768, 768, str(number), Caption(Path(f"{number}.txt"), tags_of(caption)), look)
        for number, look in enumerate(looks)
    )
    return Group("base", Path("aoi"), 1, traits, pictures, ())


def test_the_crown_tells_the_hair() -> None:
    hair = hair_of(_group(_RED, _ALSO_RED, _RED))
    assert hair is not None
    assert tuple(hair) == _RED


def test_a_hat_in_some_pictures_is_left_out() -> None:
    hair = hair_of(_group(_RED, _HAT, _ALSO_RED, _HAT, _RED))
    assert hair is not None
    assert tuple(hair) == _RED


@pytest.mark.parametrize(
    "group",
    [
        _group(_RED, _HAT),
        _group(_RED, _HAT, (90.0, 0.0, 0.0)),
        _group(_HAT, _HAT, caption="full body, witch hat"),
        _group(_HAT, _HAT, traits=("bald",)),
        _group(_HAT, _HAT, caption="close-up"),
    ],
    ids=["two colours", "three colours", "a hat in the captions", "a bald head in the traits", "close-ups"],
)
def test_nothing_is_said_of_hair_that_no_crown_tells(group: Group) -> None:
    assert hair_of(group) is None
