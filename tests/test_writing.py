"""Recipes as they are written: read back as they were given, in the documented order, the same each time."""

from __future__ import annotations

import doctest
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.recipe import load, writing
from lorarecipe.recipe.writing import SCHEMA, recipe_text

RECIPES = Path(__file__).parents[1] / "recipes"
_texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_keys = st.one_of(_texts, st.sampled_from(["training", "gate", "target", "base", "characters", "rank", "name"]))
_scalars = st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False), _texts)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_keys, inner, max_size=4)),
    max_leaves=12,
)
_tables = st.dictionaries(_keys, _values, max_size=5)
_comments = st.dictionaries(st.lists(_keys, min_size=1, max_size=3).map(".".join), _texts, max_size=4)


@given(_tables, _comments, st.lists(_texts, max_size=2))
def test_what_is_written_is_read_back(tables: dict[str, object], comments: dict[str, str], notes: list[str]) -> None:
    text = recipe_text(tables, comments=comments, notes=notes)
    assert tomllib.loads(text) == tables
    assert text.splitlines()[0] == SCHEMA
    assert not any(line != line.rstrip() for line in text.split("\n") if '"' not in line)


@pytest.mark.parametrize("path", sorted(RECIPES.rglob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_written_anew_says_the_same(path: Path) -> None:
    before = tomllib.loads(path.read_text("utf-8"))
    assert tomllib.loads(recipe_text(before)) == before


def test_the_order_is_the_documented_one() -> None:
    training = {"epochs": 10, "alpha": 8, "rank": 16, "extra": {"min_snr_gamma": 5}}
    text = recipe_text(
        {
            "target": {"training": training, "repeats": 10, "images": "renders"},
            "checkpoint": {"path": "c.safetensors", "family": "sd15"},
            "name": "aoi",
            "base": {"training": {"rank": 1}, "characters": [{"traits": ["red hair"], "images": "red"}]},
            "format": 1,
        },
        comments={
            "target.training.rank": "half of the base's",
            "target.training": 'mask = "figure"\nsee the page',
            "name": "x" * 130,
            "base.characters[0].images": "front and back",
        },
        notes=["Imported.", "word " * 30],
    )
    assert text == (
        f"{SCHEMA}\n"
        "# Imported.\n"
        f"# {'word ' * 22}word\n"
        "# word word word word word word word\n"
        "\n"
        "format = 1\n"
        f"# {'x' * 118}\n"
        f"# {'x' * 12}\n"
        'name = "aoi"\n'
        "\n[checkpoint]\n"
        'family = "sd15"\n'
        'path = "c.safetensors"\n'
        "\n[[base.characters]]\n"
        'images = "red" # front and back\n'
        'traits = ["red hair"]\n'
        "\n[base.training]\n"
        "rank = 1\n"
        "\n[target]\n"
        'images = "renders"\n'
        "repeats = 10\n"
        "\n[target.training]\n"
        '# mask = "figure"\n'
        "# see the page\n"
        "rank = 16 # half of the base's\n"
        "alpha = 8\n"
        "epochs = 10\n"
        "extra = { min_snr_gamma = 5 }\n"
    )


def test_what_is_too_long_for_a_line_gets_lines_of_its_own() -> None:
    tables = {
        "samples": {"prompts": [f"prompt {number}, forest, night" for number in range(8)]},
        "target": {"training": {"extra": {f"option_{number}": "value" for number in range(9)}}},
    }
    text = recipe_text(tables)
    assert tomllib.loads(text) == tables
    assert "[target.training.extra]" in text
    assert max(map(len, text.splitlines())) <= 120


@given(st.permutations(["format", "name", "checkpoint", "base", "target", "samples"]))
def test_the_order_in_which_keys_are_given_changes_nothing(names: list[str]) -> None:
    assert recipe_text({name: {} for name in names}) == recipe_text({name: {} for name in sorted(names)})


def test_a_key_without_a_value_is_left_out() -> None:
    assert tomllib.loads(recipe_text({"a": None, "b": {"c": None, "d": {"e": None}}})) == {"b": {"d": {}}}


def test_a_recipe_that_was_written_loads(folder: Path) -> None:
    recipe = folder / "recipe.toml"
    before = load(recipe)
    recipe.write_text(recipe_text(tomllib.loads(recipe.read_text("utf-8"))), encoding="utf-8")
    after = load(recipe)
    assert (after.base, after.target, after.checkpoint) == (before.base, before.target, before.checkpoint)


def test_the_example_of_the_documentation() -> None:
    assert doctest.testmod(writing).failed == 0
