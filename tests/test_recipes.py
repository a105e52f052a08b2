"""Every recipe of ``recipes/`` is loaded, checked and planned, on renders drawn for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.demo import HAIR
from lorarecipe.plan import TrainStage, compile_plan
from lorarecipe.recipe import Recipe, load, load_all
from lorarecipe.rules import check
from tests.conftest import tiny_checkpoint
from tests.renders import STYLES, character, demo_kit

RECIPES = Path(__file__).parent.parent / "recipes"
NAMES = sorted(path.relative_to(RECIPES).as_posix() for path in RECIPES.rglob("*.toml"))


def _prepare(folder: Path, name: str) -> Path:
    """Copy the recipes, and draw what one of them names."""
    shutil.copytree(RECIPES, folder, ignore=shutil.ignore_patterns("renders", "*.safetensors"))
    recipe = load(folder / name)
    if recipe.checkpoint.family == "sdxl":
        tiny_checkpoint(recipe.checkpoint.path, "conditioner.embedders.0.transformer.text_model.encoder.layers.0.")
    else:
        tiny_checkpoint(recipe.checkpoint.path)
    for one in recipe.base.characters:
        hair = next(trait for trait in one.traits if trait in HAIR)
        style = next(trait for trait in one.traits if trait in STYLES)
        character(one.images, hair, style, one.traits, _scale(recipe))
    if recipe.target:
        character(recipe.target.parts[0][1], "blonde", "twintails", None, _scale(recipe))
    return folder / name


def _scale(recipe: Recipe) -> int:
    """Make the smallest shot as wide as the resolution asks for."""
    assert recipe.base.training
    return max(1, recipe.base.training.resolution[0] // 128)


@pytest.mark.parametrize("name", NAMES)
def test_recipe(tmp_path: Path, name: str) -> None:
    _judge(_prepare(tmp_path / "recipes", name))


def test_recipes_of_the_demo(tmp_path: Path) -> None:
    demo_kit(tmp_path)
    recipes = sorted(tmp_path.glob("*.toml"))
    assert len(recipes) == 5
    for path in recipes:
        _judge(path)


def _judge(path: Path) -> None:
    """Expect no finding, and trainings that have steps."""
    checked = check(scan(load(path)))
    assert checked.findings == ()
    plan = compile_plan([checked])
    assert all(stage.steps.total > 0 for stage in plan.stages if isinstance(stage, TrainStage))


def test_two_characters_share_a_base(tmp_path: Path) -> None:
    _prepare(tmp_path / "recipes", "akane.toml")
    character(tmp_path / "recipes" / "renders" / "midori", "green hair", "ponytail", None)
    recipes = load_all([tmp_path / "recipes" / "akane.toml", tmp_path / "recipes" / "midori.toml"])
    plan = compile_plan([check(scan(recipe)) for recipe in recipes])
    assert [stage.kind for stage in plan.stages] == [
        "data",
        "data",
        "data",
        "train",
        "sample",
        "gate",
        "merge",
        "sample",
        "gate",
        "train",
        "train",
    ]


def test_there_are_a_base_two_characters_and_a_recipe_of_one_file() -> None:
    assert {"bases/koikatsu.toml", "akane.toml", "midori.toml", "hinata.toml"} <= set(NAMES)
