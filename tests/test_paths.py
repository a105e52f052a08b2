"""Whole runs in folders of every name that a disk takes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.errors import RecipeError
from lorarecipe.plan import compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from tests.conftest import RECIPE

NAMES = (
    "two words",
    "it's",
    'say "hi"',
    "赤い髪",
    "🦊 fox",
    "a#b",
    "-dash",
    "$(touch x); `y`",
    "é" * 100,
    "ü&%~!",
    "全角　名",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_run_in_a_folder_of_any_name(folder: Path, tmp_path: Path, fake_trainer: Installation, name: str) -> None:
    """The author's folder, an image folder, the store and the results: all of that name."""
    place = tmp_path / name
    shutil.move(folder, place)
    (place / "red").rename(place / name)
    text = RECIPE.replace('images = "red"', "images = '''" + name + "'''")
    (place / "recipe.toml").write_text(text, encoding="utf-8")
    store = Store(tmp_path / f"{name} home" / "store")
    plan = compile_plan([check(scan(load(place / "recipe.toml")))])
    for _ in execute(plan, Here(fake_trainer, store), place / f"{name} out"):
        pass
    assert (place / f"{name} out" / "aoi" / "aoi.safetensors").is_file()
    for toml in tmp_path.rglob("dataset.toml"):
        assert "\\\\" not in toml.read_text("utf-8")
    assert not list(tmp_path.rglob("x"))


def test_a_recipe_that_was_written_on_windows(folder: Path) -> None:
    (folder / "renders").mkdir()
    (folder / "red").rename(folder / "renders" / "red")
    text = RECIPE.replace('images = "red"', r"images = 'renders\red'")
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    assert load(folder / "recipe.toml").base.characters[0].images == folder / "renders" / "red"
    text = RECIPE.replace('images = "red"', r"images = 'C:\renders\red'")
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match="C:/renders/red', which is not there, expected a folder"):
        scan(load(folder / "recipe.toml"))
