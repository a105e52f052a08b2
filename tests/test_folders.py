"""A target in several folders, each with its own repeats."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.errors import RecipeError
from lorarecipe.plan import compile_plan, rehearsal_of
from lorarecipe.recipe import Overrides, load, load_all, settings_of
from lorarecipe.rules import check
from tests.breaks import IMAGES
from tests.conftest import RECIPE
from tests.renders import character
from tests.test_cli import _call

FOLDERS = """\
[[target.folders]]
images = "aoi"

[[target.folders]]
images = "winter"
repeats = 2
"""
TWO = RECIPE.replace('[target]\nimages = "aoi"\n', FOLDERS)


@pytest.fixture
def place(folder: Path) -> Path:
    """A recipe whose target has two folders, with all that it names."""
    character(folder / "winter", "blonde", "twintails", None, scale=2)
    (folder / "recipe.toml").write_text(TWO, encoding="utf-8")
    return folder


def _found(place: Path) -> list[str]:
    return [
        f"{one.code} {one.path.name}:{one.line} {one.message}"
        for one in check(scan(load(place / "recipe.toml"))).findings
    ]


def _moved(old: str, new: str) -> str:
    assert old in TWO
    return TWO.replace(old, new)


def test_each_folder_has_its_repeats(place: Path) -> None:
    dataset = scan(load(place / "recipe.toml"))
    assert [(group.folder.name, group.repeats, group.phase) for group in dataset.target] == [
        ("aoi", 1, "target"),
        ("winter", 2, "target"),
    ]
    assert check(dataset).errors == ()
    settings = {one.name: one.value for one in settings_of(dataset.recipe) if one.table == "target"}
    assert settings["folders"].endswith('winter", repeats = 2 }]')


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (_moved(FOLDERS, f'[target]\nimages = "aoi"\n{FOLDERS}'), "recipe.toml:28: target: found both images and folders"),
        (_moved(FOLDERS, f"[target]\nrepeats = 2\n{FOLDERS}"), "recipe.toml:28: target: found repeats beside [[target.folders]]"),
        (_moved('images = "winter"', 'images = "aoi"'), "target: found two folders with the images of aoi, expected each once"),
        (_moved('images = "winter"', 'imges = "winter"'), "recipe.toml:32: target.folders[1].imges: found an unknown key; did you mean images?"),
        (_moved("repeats = 2", "repeats = 0"), "recipe.toml:33: target.folders[1].repeats: found 0"),
        (_moved(FOLDERS, "[target]\nfolders = []\n"), "target: found neither images nor folders"),
        (_moved('images = "winter"', 'images = "autumn"'), "recipe.toml:32: target.folders[1].images: found"),
    ],
)  # fmt: skip
def test_a_fault(place: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str) -> None:
    monkeypatch.chdir(place)
    Path("recipe.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        scan(load(Path("recipe.toml")))
    assert expected in str(caught.value)


def test_every_rule_of_the_target_looks_at_every_folder(place: Path) -> None:
    assert _found(place) == []
    shutil.copy(place / "red" / "full_front.png", place / "winter" / "more.png")
    (place / "winter" / "more.txt").write_text("white background, arms at sides, full body", encoding="utf-8")
    assert next(line for line in _found(place) if "found an image of the base" in line).split()[1] == "more.png:1"
    (place / "winter" / "full_front.txt").write_text("white background, full body, solo", encoding="utf-8")
    codes = {line.split()[0] for line in _found(place) if "full_front.txt" in line}
    assert "TGT001" in codes


def test_the_light_of_each_folder_is_compared(place: Path) -> None:
    for path in (place / "winter").glob("*.png"):
        IMAGES["in half the light"](path)
    lines = [line for line in _found(place) if line.startswith("PAR004")]
    assert lines
    assert all(line.startswith("PAR004 recipe.toml:32 target.folders[1].images: found ") for line in lines)


def test_a_shape_that_only_the_target_has_may_be_in_any_folder(place: Path) -> None:
    IMAGES["64x160 pixels"](place / "winter" / "full_front.png")
    [line] = [line for line in _found(place) if line.startswith("PAR006")]
    assert line.startswith("PAR006 recipe.toml:28 target.folders: found images of 64x160 pixels")


def test_a_number_before_a_folders_name_is_seen_in_each(place: Path) -> None:
    (place / "winter").rename(place / "5_winter")
    text = TWO.replace('"winter"\nrepeats = 2', '"5_winter"')
    (place / "recipe.toml").write_text(text, encoding="utf-8")
    [line] = [line for line in _found(place) if "repeats = 5" in line]
    assert "recipe.toml:32 target.folders[1].images: found the folder '5_winter'" in line


def test_a_rehearsal_sees_each_image_once(place: Path) -> None:
    checked = check(scan(load(place / "recipe.toml")))
    (small,), differences = rehearsal_of([checked])
    assert [group.repeats for group in small.dataset.target] == [1, 1]
    assert "repeats: 1, 2 (here 1)" in differences
    assert compile_plan([small]).deliveries[0].stage.repeats == (1, 1)


def test_a_character_of_a_list_may_have_several(place: Path) -> None:
    listed = '\n[[characters]]\nname = "akane"\n[[characters.target.folders]]\nimages = "aoi"\n[[characters.target.folders]]\nimages = "winter"\n'
    (place / "recipe.toml").write_text(TWO.replace(FOLDERS, "") + listed, encoding="utf-8")
    [recipe] = load_all([place / "recipe.toml"])
    assert recipe.target
    assert [path.name for _, path, _ in recipe.target.parts] == ["aoi", "winter"]
    [recipe] = load_all([place / "recipe.toml"], Overrides(sets=("target.folders.1.repeats=7",)))
    assert recipe.target
    assert [repeats for _, _, repeats in recipe.target.parts] == [1, 7]


def test_doctor_and_caption_know_of_each(place: Path) -> None:
    assert "files of the recipe" in _call(place, "doctor", "recipe.toml")[1]
    (place / "winter" / "full_front.txt").unlink()
    sets = '[target.captions]\npattern = "{zoom}_{view}"\n'
    (place / "recipe.toml").write_text(TWO.replace("[target.training]", f"{sets}[target.training]"), encoding="utf-8")
    assert _call(place, "caption", "recipe.toml")[0] == 0
    assert "full body" in (place / "winter" / "full_front.txt").read_text("utf-8")
