from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from lorarecipe.demo import BACKGROUNDS, DRESSES, HAIR, POSES, STYLES, VIEWS, ZOOMS, Figure, draw

FIGURES = st.builds(
    Figure,
    hair=st.sampled_from(list(HAIR)),
    style=st.sampled_from(STYLES),
    dress=st.none() | st.sampled_from(list(DRESSES)),
    pose=st.sampled_from(POSES),
    view=st.sampled_from(VIEWS),
    zoom=st.sampled_from(ZOOMS),
    background=st.sampled_from(BACKGROUNDS),
)


def _difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures, in levels of 255."""
    return float(np.asarray(ImageChops.difference(one, other)).mean())


@settings(max_examples=25)
@given(FIGURES, st.sampled_from(["flat", "3d"]), st.integers(0, 9))
def test_a_picture_is_what_its_figure_and_seed_say(figure: Figure, look: str, seed: int) -> None:
    picture = draw(figure, look, 64, seed)  # type: ignore[arg-type]
    assert (picture.mode, picture.size) == ("RGB", (64, 64))
    assert picture.tobytes() == draw(figure, look, 64, seed).tobytes()  # type: ignore[arg-type]


@settings(max_examples=25)
@given(FIGURES, st.data())
def test_every_attribute_is_seen(figure: Figure, data: st.DataObject) -> None:
    """Changing one tag changes the picture by more than a few stray pixels."""
    choices = {
        "hair": list(HAIR),
        "dress": list(DRESSES),
        "pose": POSES,
        "view": VIEWS,
        "zoom": ZOOMS,
        "background": BACKGROUNDS,
    }
    name = data.draw(st.sampled_from(sorted(choices)))
    value = data.draw(st.sampled_from([v for v in choices[name] if v != getattr(figure, name)]))
    assert _difference(draw(figure, "flat"), draw(replace(figure, **{name: value}), "flat")) > 0.2


@pytest.mark.parametrize("view", VIEWS)
def test_every_hairstyle_is_seen(view: str) -> None:
    pictures = [draw(Figure("red hair", style, view=view), "flat") for style in STYLES]
    for index, one in enumerate(pictures):
        assert all(_difference(one, other) > 1 for other in pictures[index + 1 :])


def test_a_render_is_white_upright_and_without_outlines() -> None:
    figure = Figure("red hair", "twintails", dress="blue dress")
    render, drawn = draw(figure, "3d", 256), draw(figure, "flat", 256)
    border = np.asarray(render)[[0, -1]]
    assert (border == 255).all()
    dark = [float((np.asarray(image).max(axis=-1) < 60).mean()) for image in (render, drawn)]
    assert dark[0] < 0.005 < 0.03 < dark[1]


def test_the_camera_of_renders_stands_still() -> None:
    figure = Figure((222, 178, 98), "long hair")
    assert draw(figure, "3d", seed=1).tobytes() == draw(figure, "3d", seed=2).tobytes()
    assert draw(figure, "flat", seed=1).tobytes() != draw(figure, "flat", seed=2).tobytes()


def test_tags_say_what_is_seen() -> None:
    assert Figure("red hair", "ponytail", "red dress", view="from behind").tags == (
        "red hair",
        "ponytail",
        "red dress",
        "white background",
        "arms at sides",
        "from behind",
        "full body",
    )
    assert Figure((1, 2, 3), "short hair").tags == ("short hair", "white background", "arms at sides", "full body")
