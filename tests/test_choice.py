"""Picking by measures: what is fit to train on, what is most alike, and how many prompts it is of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lorarecipe.dataset.look import look_at
from lorarecipe.demo import STYLES, VIEWS, ZOOMS, Figure, draw
from lorarecipe.measures import Drawn, Yardstick, hair_colour, hairstyle
from lorarecipe.measures.choice import choose
from lorarecipe.measures.pixels import outline, seen
from lorarecipe.measures.renders import Render
from lorarecipe.records import Pick

FIGURE = Figure("blue hair", "twintails", "green dress")
#: a place that is drawn flat; a forest is not
_PLAIN = "pink background"
OTHER = Figure("red hair", "short hair", "yellow dress")


def _yardstick(figure: Figure = FIGURE) -> Yardstick:
    renders = []
    for view, zoom in product(VIEWS, ZOOMS):
        picture = draw(replace(figure, view=view, zoom=zoom), "3d", 256)
        picture.thumbnail((64, 64), Image.Resampling.BOX)
        renders.append(Render((zoom,), seen(picture), outline(seen(picture)), look_at(picture), Path()))
    return Yardstick(renders, {})


YARDSTICK = _yardstick()


def _drawn(figure: Figure, place: str = "forest", look: str = "flat", weight: float = 1.0, seed: int = 1) -> Drawn:
    """Draw what a LoRA might, beside what the checkpoint might: another's hair, in the place that was asked for."""
    shown = draw(replace(figure, background=place), "3d" if look == "3d" else "flat", 64, seed)
    asked = "forest" if place == "white background" else place
    bare = draw(replace(figure, hair="brown hair", background=asked), "flat", 64, seed)
    return Drawn(Path(), seen(shown), f"1girl, {place}", weight, unrelated=False, bare=seen(bare))


def _told(picks: tuple[Pick, ...]) -> dict[str, tuple[int, str]]:
    return {pick.name: (pick.times, pick.why) for pick in picks}


def test_what_is_not_fit_is_never_picked() -> None:
    drawn = {
        "good": _drawn(FIGURE, _PLAIN),
        "shaded": _drawn(FIGURE, _PLAIN, look="3d"),
        "white": replace(_drawn(FIGURE, "white background"), prompt="1girl, forest"),
    }
    told = _told(choose(drawn, YARDSTICK, 2))
    assert told["good"][0] == 2
    assert told["good"][1].startswith("picked, 2 times: among the most like the character (")
    assert (told["shaded"][0], told["white"][0]) == (0, 0)
    assert told["shaded"][1].startswith("shaded as the renders are: 3D look ")
    assert told["white"][1].startswith("white where a background was asked for: ")


def test_white_that_was_asked_for_is_fit() -> None:
    assert _told(choose({"white": _drawn(FIGURE, "white background")}, YARDSTICK, 1))["white"][0] == 1


def test_of_what_is_fit_the_likest() -> None:
    drawn = {f"own {seed}": _drawn(FIGURE, "beach", seed=seed) for seed in range(2)}
    drawn |= {f"other {seed}": _drawn(OTHER, "beach", seed=seed) for seed in range(2)}
    told = _told(choose(drawn, YARDSTICK, 2))
    picked = {name: times for name, (times, _) in told.items() if times}
    assert picked.keys() <= {"own 0", "own 1"}
    assert sum(picked.values()) == 2


def test_no_prompt_has_more_than_its_share() -> None:
    places = ("forest", "beach", "night sky", "pink background", "white background")
    drawn = {f"{place} {seed}": _drawn(FIGURE, place, seed=seed) for place in places for seed in range(8)}
    picked = [name for name, (times, _) in _told(choose(drawn, YARDSTICK, 18)).items() for _ in range(times)]
    assert len(picked) == 18
    assert max(Counter(name.rpartition(" ")[0] for name in {*picked}).values()) == 4


def test_of_a_single_prompt_all_are_picked() -> None:
    drawn = {str(seed): _drawn(FIGURE, "beach", seed=seed) for seed in range(12)}
    assert sum(times > 0 for times, _ in _told(choose(drawn, YARDSTICK, 10)).values()) == 10


def test_a_weight_at_which_most_are_shaded_is_not_picked_from() -> None:
    drawn = {f"light {seed}": _drawn(FIGURE, _PLAIN, weight=1.0, seed=seed) for seed in range(3)}
    drawn |= {f"heavy {seed}": _drawn(FIGURE, _PLAIN, look="3d", weight=2.0, seed=seed) for seed in range(3)}
    drawn["lucky"] = _drawn(FIGURE, _PLAIN, weight=2.0, seed=9)
    told = _told(choose(drawn, YARDSTICK, 3))
    assert told["lucky"] == (
        0,
        "drawn at too large a weight: above 1, most pictures are shaded as the renders are",
    )


def test_where_too_few_are_fit_none_is_picked() -> None:
    drawn = {f"good {seed}": _drawn(FIGURE, _PLAIN, seed=seed) for seed in range(2)}
    told = _told(choose(drawn | {"shaded": _drawn(FIGURE, _PLAIN, look="3d")}, YARDSTICK, 9))
    assert told["good 0"][0] == 0
    assert told["good 0"][1].startswith("fit: too few are (")
    assert choose({}, YARDSTICK, 5) == ()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["flat", "3d"]), st.sampled_from(["forest", "beach"]), st.integers(0, 3))),
    st.integers(1, 40),
)
def test_as_many_as_are_wanted_or_none(shots: list[tuple[str, str, int]], keep: int) -> None:
    drawn = {
        str(number): _drawn(FIGURE, place, look, 1.0 + (seed % 2), seed)
        for number, (look, place, seed) in enumerate(shots)
    }
    picks = choose(drawn, YARDSTICK, keep)
    assert [pick.name for pick in picks] == [*drawn]
    assert sum(pick.times for pick in picks) in {0, keep}
    assert all(pick.why for pick in picks)


@pytest.mark.parametrize("style", STYLES)
def test_a_hairstyle_is_known_from_another(style: str) -> None:
    """In the places and poses of a flat drawing, for each style: its own is nearer than the others', on average."""
    figure = replace(FIGURE, style=style)
    yardstick = _yardstick(figure)

    def off(of: str) -> float:
        shots = [
            _drawn(replace(figure, style=of), place, seed=seed) for place in ("forest", "beach") for seed in range(4)
        ]
        numbers = [number for shot in shots if (number := hairstyle.of(shot, yardstick)) is not None]
        return sum(numbers) / len(numbers)

    assert off(style) < min(off(other) for other in STYLES if other != style)


def test_the_colour_of_the_hair() -> None:
    own, other = (
        hair_colour.of(_drawn(replace(FIGURE, hair=hair)), YARDSTICK) for hair in ("blue hair", "purple hair")
    )
    assert own is not None
    assert other is None or own < other
    assert hair_colour.of(replace(_drawn(FIGURE), unrelated=True), YARDSTICK) is None
    assert hairstyle.of(_drawn(FIGURE), Yardstick([], {})) is None
