"""Faults of a list of characters, in its form and in its values: all at once, in the order of the lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorarecipe.errors import RecipeError
from lorarecipe.recipe import Overrides, load_all

TABLE = """\
name,images,target.training.epochs,target.training.epchs
a,aoi,many,
b,,3,
c,aoi,3,5
d,aoi,3,,too much
e,aoi,0,
f,aoi,3,
"""
LIST = """
[[characters]]
name = "a"
images = "aoi"
merge.strength = 9

[[characters]]
images = "aoi"

[[characters]]
name = "c"
imges = "aoi"
"""


def _faults(folder: Path, monkeypatch: pytest.MonkeyPatch, **overrides: object) -> list[str]:
    monkeypatch.chdir(folder)
    with pytest.raises(RecipeError) as caught:
        load_all([Path("recipe.toml")], Overrides(**overrides))  # type: ignore[arg-type]
    return [fault.rpartition(", expected")[0] or fault for fault in str(caught.value).splitlines()]


def test_a_table(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "list.csv").write_text(TABLE, encoding="utf-8")
    text = (folder / "recipe.toml").read_text("utf-8").replace('[target]\nimages = "aoi"\n', "[target]\n")
    (folder / "recipe.toml").write_text(text, encoding="utf-8")
    assert _faults(folder, monkeypatch, characters=Path("list.csv")) == [
        "list.csv:2: target.training.epochs: found 'many'",
        "list.csv:3: images: the cell is empty; write it here",
        "list.csv:4: target.training.epchs: found an unknown key; did you mean epochs?",
        "list.csv:5: found 5 cells",
        "list.csv:6: target.training.epochs: found 0",
    ]
    assert _faults(folder, monkeypatch, characters=Path("list.csv"), sets=("merge.strength=[",))[-1].startswith("--set")


def test_a_list_in_the_recipe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (folder / "recipe.toml").read_text("utf-8").replace('[target]\nimages = "aoi"\n', "[target]\n")
    first = text.count("\n") + 2
    (folder / "recipe.toml").write_text(text + LIST, encoding="utf-8")
    assert _faults(folder, monkeypatch) == [
        f"recipe.toml:{first + 3}: characters[0].merge.strength: found 9",
        f"recipe.toml:{first + 5}: characters[1].name: the key is missing; write it here",
        f"recipe.toml:{first + 10}: characters[2].imges: found an unknown key; did you mean images?",
    ]


def test_where_no_character_is_sound_nothing_else_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "list.csv").write_text("name,images\n,aoi\n", encoding="utf-8")
    assert _faults(folder, monkeypatch, characters=Path("list.csv")) == [
        "list.csv:2: name: the cell is empty; write it here"
    ]
