from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from lorarecipe.dataset import scan
from lorarecipe.dataset.look import look_at
from lorarecipe.demo.renders import BASE
from lorarecipe.demo.world import VIEWS, ZOOMS, Figure, draw
from lorarecipe.measures.gate import gate_table, judge
from lorarecipe.measures.pixels import outline, seen
from lorarecipe.measures.renders import Render, hair_colours
from lorarecipe.plan.gate import gate_samples
from lorarecipe.recipe import load
from lorarecipe.records import Gate

PROMPTS = {
    "red hair": Figure("red hair", "long hair"),
    "green hair, twintails": Figure("green hair", "twintails"),
    "white hair, short hair": Figure("white hair", "short hair"),
    "black hair, upper body": Figure("black hair", "ponytail", zoom="upper body"),
    "full body": Figure("blue hair", "ponytail", "red dress"),
    "": Figure("blue hair", "long hair"),
}
SCENES = {"forest, arms up": Figure("red hair", "long hair"), "beach": Figure("black hair", "short hair")}


def _renders(cast: dict[str, Figure], size: int = 64) -> list[Render]:
    renders = []
    for figure, view, zoom in product(cast.values(), VIEWS, ZOOMS):
        shot = replace(figure, view=view, zoom=zoom)
        picture = draw(shot, "3d", size)
        behind = ("from behind",) if view == "from behind" else ()
        colours = seen(picture)
        tags = (str(shot.hair), shot.style, *behind, zoom)
        renders.append(Render(tags, colours, outline(colours), look_at(picture), Path()))
    return renders


def _shown(figures: dict[str, Figure], look: str) -> dict[str, tuple[str, int, Image.Image]]:
    return {
        f"{prompt} {seed}": (prompt, seed, draw(figure, "3d" if look == "3d" else "flat", 64, seed))
        for prompt, figure in figures.items()
        for seed in (1, 2)
    }


def _verdicts(gate: Gate) -> dict[str, str]:
    return {check.name: check.verdict for check in gate.checks}


def test_what_draws_as_it_was_rendered_passes() -> None:
    gate = judge("base", _shown(PROMPTS | SCENES, "3d"), _renders(BASE))
    assert gate.verdict == "pass", gate_table(gate.checks)
    assert {check.of for check in gate.checks} == {12, 16, 8, 4}


def test_a_checkpoint_without_a_base_fails() -> None:
    placed = {prompt: replace(figure, background="forest", pose="arms up") for prompt, figure in SCENES.items()}
    free = {
        prompt: replace(figure, background=place, pose=pose)
        for (prompt, figure), place, pose in zip(
            PROMPTS.items(), ["beach", "night sky", "forest"] * 2, ["arm up", "arms up", "arms at sides"] * 2
        )
    }
    verdicts = _verdicts(judge("base", _shown(free | placed, "flat"), _renders(BASE)))
    assert verdicts["white background"] == verdicts["white in spite of a scene"] == "fail"
    assert verdicts["upright in spite of a pose"] == "fail"
    assert verdicts["upright"] in {"fail", "doubtful"}


def test_drawings_on_white_are_not_3d() -> None:
    verdicts = _verdicts(judge("base", _shown(PROMPTS | SCENES, "flat"), _renders(BASE)))
    assert (verdicts["white background"], verdicts["3D"]) == ("pass", "fail")


def test_a_base_of_one_character_draws_her_whatever_is_asked_for() -> None:
    red = BASE["red"]
    alike = {prompt: replace(red, zoom=figure.zoom) for prompt, figure in PROMPTS.items()}
    verdicts = _verdicts(judge("base", _shown(alike | SCENES, "3d"), _renders({"red": red})))
    assert verdicts["hair colour as asked"] == "fail"
    asks_for_one = judge("base", _shown({"red hair": red, "": red}, "3d"), _renders({"red": red}))
    [told] = [check for check in asks_for_one.checks if check.name == "hair colour as asked"]
    assert (told.verdict, told.note) == ("doubtful", "one colour shows nothing")


def test_colours_are_measured_or_else_as_hair_is_commonly_drawn() -> None:
    colours = hair_colours(_renders(BASE))
    assert colours["blonde hair"][2] > 40  # yellow: no character has it
    assert colours["red hair"] != hair_colours([])["red hair"]


def test_what_a_base_is_asked_for(edit: Callable[[str, str], Path]) -> None:
    samples = gate_samples(scan(load(edit('mode = "off"', 'against = ["forest"]\nimages = 2'))))
    assert samples.prompts == (
        "red hair",
        "blue hair",
        "red hair, twintails",
        "blue hair, short hair",
        "upper body",
        "full body",
        "short hair, from behind",
        "twintails, from behind",
        "",
        "forest",
    )
    assert (samples.images, samples.weights) == (2, (1.0,))


@pytest.mark.parametrize("size", [64, 256])
def test_an_outline_is_its_own(size: int) -> None:
    renders = _renders(BASE, size)
    gate = judge("merged", {"a": ("red hair", 1, draw(BASE["red"], "3d", size))}, renders)
    [picture] = gate.pictures
    assert picture.overlap > 0.97
    assert picture.zoom == "full body"
