from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner
from jsonschema import Draft7Validator, Draft202012Validator

from lorarecipe.cli import main
from lorarecipe.demo import foreign_files
from lorarecipe.errors import Fault, RecipeError
from lorarecipe.recipe import load
from lorarecipe.recipe.captions import Captions
from lorarecipe.recipe.model import Base, Character, Checkpoint, Merge, RecipeFile, RuleSetting, Trainer
from lorarecipe.recipe.refine import Refine
from lorarecipe.recipe.samples import Control, Deliver, Distill, Gate, Samples
from lorarecipe.recipe.schema import recipe_schema
from lorarecipe.recipe.table import Table
from lorarecipe.recipe.target import Listed, Target, TargetFolder
from lorarecipe.recipe.training import Buckets, Training
from tests.hub import Hub
from tests.renders import demo_kit

ROOT = Path(__file__).parent.parent
RECIPES = sorted((*ROOT.glob("recipes/**/*.toml"), *ROOT.glob("lorarecipe/demo/recipes/*.toml")))
FILE = ROOT / "lorarecipe" / "recipe" / "lorarecipe.schema.json"
Where = tuple[str | int, ...]

SCHEMA = recipe_schema()
STRICT = (Draft202012Validator(SCHEMA), Draft7Validator(SCHEMA))

#: the least that a recipe may hold
_LEAST: dict[str, Any] = {
    "format": 1,
    "name": "akane",
    "preset": "emanon-2023",
    "checkpoint": {"family": "sd15", "path": "checkpoint.safetensors"},
    "base": {"characters": [{"images": "red", "traits": ["red hair", "short hair"]}]},
    "target": {"images": "akane"},
}
_PROMPTS = {"prompts": ["1girl"]}
_TABLES: dict[type[Table], Where] = {
    RecipeFile: (),
    Checkpoint: ("checkpoint",),
    Base: ("base",),
    Character: ("base", "characters", 0),
    Captions: ("target", "captions"),
    Training: ("target", "training"),
    Buckets: ("target", "training", "buckets"),
    Gate: ("base", "gate"),
    Target: ("target",),
    TargetFolder: ("target", "folders", 0),
    Listed: ("characters", 0),
    Merge: ("merge",),
    Trainer: ("trainer",),
    Samples: ("samples",),
    Refine: ("refine",),
    Distill: ("distill",),
    Deliver: ("deliver",),
    Control: ("control",),
    RuleSetting: ("rules", "TGT002"),
}
_FIELDS = [(table, name) for table in _TABLES for name in table.model_fields]
#: what a recipe needs beside a key; None takes away what the key cannot stand beside
_BESIDE: dict[Where, dict[str, Any]] = {
    ("method",): {"base": None},
    ("base", "from"): {"base": {}},
    ("base", "weights"): {"base": {}},
    ("target", "captions"): {"target": {"images": "akane", "captions": {"pattern": "{zoom}"}}},
    ("target", "folders"): {"target": {"folders": [{"images": "akane"}]}},
    ("target", "training", "resolution"): {
        "target": {"images": "akane", "training": {"buckets": {"min": 512, "max": 2048}}}
    },
    ("target", "training", "steps"): {"preset": "copier"},
    ("target", "training", "warmup_steps"): {"preset": "copier"},
    ("characters",): {"characters": [{"name": "akane", "images": "akane"}]},
    ("samples",): {"samples": _PROMPTS},
    ("distill",): {"method": "distill", "base": None, "distill": _PROMPTS},
    ("deliver",): {"samples": _PROMPTS},
    ("control",): {"samples": _PROMPTS},
    ("rules",): {"rules": {"TGT002": {"severity": "ignore", "reason": "x"}}},
}


def _recipe(where: Where) -> dict[str, Any]:
    """Give the least recipe that a key may stand in."""
    recipe = deepcopy(_LEAST)
    for end in range(1, len(where) + 1):
        recipe |= deepcopy(_BESIDE.get(where[:end], {}))
    return {key: value for key, value in recipe.items() if value is not None}


def _set(recipe: dict[str, Any], where: Where, value: object) -> dict[str, Any]:
    table: Any = recipe
    for part in where[:-1]:
        table = table[part] if isinstance(part, int) else table.setdefault(part, {})
    table[where[-1]] = value
    return recipe


def _load(recipe: dict[str, Any], folder: Path) -> tuple[Fault, ...]:
    """Load a recipe from a file, and give its faults."""
    path = folder / "recipe.toml"
    path.write_text(tomli_w.dumps(recipe), encoding="utf-8")
    try:
        load(path)
    except RecipeError as error:
        return error.faults
    return ()


def _allows(recipe: object) -> bool:
    """Tell what the schema says of a recipe, the same by both drafts."""
    (verdict,) = {validator.is_valid(recipe) for validator in STRICT}
    return verdict


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the base recipe that an example names."""
    (tmp_path / "bases").mkdir()
    base = {key: value for key, value in _LEAST.items() if key not in {"checkpoint", "target"}} | {"name": "koikatsu"}
    (tmp_path / "bases" / "koikatsu.toml").write_text(tomli_w.dumps(base), encoding="utf-8")
    return tmp_path


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft7Validator.check_schema(SCHEMA)
    assert {table.__name__ for table in _TABLES} == {"RecipeFile", *SCHEMA["$defs"]}


@pytest.mark.parametrize(("table", "name"), _FIELDS, ids=lambda part: getattr(part, "__name__", part))
def test_every_key_has_a_description_and_examples_that_load(
    table: type[Table], name: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = table.model_fields[name]
    assert field.description
    assert field.description.endswith((".", "?", ")"))
    where = (*_TABLES[table], field.alias or name)
    recipe = _recipe(where)
    examples = field.examples or []
    assert examples
    with Hub() as hub:
        hub.use(monkeypatch)
        hub.add("models/owner/repo", {"file.safetensors": b"of an example"})
        for example in examples:
            written = _set(deepcopy(recipe), where, example)
            assert _load(written, place) == ()
            assert _allows(written)


def test_the_file_beside_the_models_is_up_to_date() -> None:
    """To renew it: ``lorarecipe schema > lorarecipe/recipe/lorarecipe.schema.json``."""
    assert FILE.read_text("utf-8") == CliRunner().invoke(main, ["schema"]).output


@pytest.mark.parametrize("path", sorted(ROOT.glob("recipes/**/*.toml")), ids=lambda path: path.name)
def test_a_recipe_of_the_clone_names_the_schema(path: Path) -> None:
    directive, named = path.read_text("utf-8").splitlines()[0].split()
    assert directive == "#:schema"
    assert (path.parent / named).samefile(FILE)


def test_the_demo_brings_the_schema_that_its_recipes_name(tmp_path: Path) -> None:
    demo_kit(tmp_path)
    recipes = [*tmp_path.glob("*.toml")]
    assert recipes
    for path in recipes:
        assert path.read_text("utf-8").startswith("#:schema ./lorarecipe.schema.json\n")
    assert (tmp_path / "lorarecipe.schema.json").read_bytes() == FILE.read_bytes()
    (tmp_path / "lorarecipe.schema.json").write_text("{}", encoding="utf-8")
    assert foreign_files(tmp_path) == [tmp_path / "lorarecipe.schema.json"]


def test_an_editor_finds_the_fault_by_the_directive(tmp_path: Path) -> None:
    """The linters that editors run read the schema beside a recipe, and name the key that is wrong."""
    demo_kit(tmp_path)
    path = tmp_path / "demo.toml"
    path.write_text(path.read_text("utf-8").replace("batch_size", "batch_sise"), encoding="utf-8")
    for words in (["taplo", "lint", "--no-auto-config"], ["tombi", "lint", "--offline"]):
        program = str(Path(sys.executable).parent / words[0])
        done = subprocess.run([program, *words[1:], path], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "batch_sise" in done.stderr


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.name)
def test_every_recipe_is_allowed(path: Path) -> None:
    assert _allows(tomllib.loads(path.read_text("utf-8")))


def _keys(value: object, where: Where = ()) -> Iterator[Where]:
    """Walk a recipe: its keys, and the elements of its lists."""
    parts: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inner in parts:
        yield (*where, part)
        yield from _keys(inner, (*where, part))


#: a recipe that holds nearly every key, as far as they may stand beside each other
_FULL = deepcopy(_LEAST) | {
    table: {field.alias or name: (field.examples or [])[0] for name, field in model.model_fields.items()}
    for table, model in (("samples", Samples), ("merge", Merge), ("deliver", Deliver))
}
_FULL["trainer"] = {"engine": "sd-scripts", "device": "cpu", "processes": 1}
_FULL["checkpoint"] |= {"sha256": "a" * 64, "vae": "vae.safetensors", "clip_skip": 2, "v_prediction": False}
_FULL["base"] |= {"also": ["white background"], "gate": {"mode": "stop", "prompts": [""], "against": ["forest"]}}
_FULL["target"] |= {
    "repeats": 2,
    "allow": {"sword_*": ["holding sword"]},
    "captions": {"pattern": "{zoom}_{view}", "words": {"bust": "upper body"}, "tags": ["nude"]},
    "training": {
        field.alias or name: (field.examples or [])[0]
        for name, field in Training.model_fields.items()
        if name not in {"steps", "text_encoder_lr"}
    },
}
_FULL["refine"] = {"prompts": ["1girl"], "weights": [1.0], "training": {"epochs": 3, "save_every_epochs": 1}, "keep": 3}
_FULL["rules"] = {"TGT002": {"severity": "ignore", "reason": "x", "paths": ["*"]}}

_OTHERS: list[object] = ["~", "", 7, -1, 1.5, True, False, [], {}, [7], ["~"], {"strange": 1}]


def test_the_full_recipe_is_right(tmp_path: Path) -> None:
    assert _load(_FULL, tmp_path) == ()
    assert _allows(_FULL)


#: words of faults that a schema finds too: of a type, a choice, a bound or a pattern, or of an unknown key
_WORDS = (
    "a valid",
    "a table",
    "a list",
    "a path",
    "unknown key",
    "' or '",
    "than",
    "more",
    "hexadecimal",
    "cuda:N",
    "it names files",
)


@pytest.mark.parametrize("where", [*_keys(_FULL)], ids=lambda where: ".".join(map(str, where)))
def test_the_schema_agrees_with_the_loader(where: Where, tmp_path: Path) -> None:
    for other in _OTHERS:
        recipe = _set(deepcopy(_FULL), where, other)
        faults = _load(recipe, tmp_path)
        if not _allows(recipe):
            assert faults, other
        elif any(word in fault.message for fault in faults for word in _WORDS):
            pytest.fail(f"{other!r} is allowed by the schema, and refused: {faults}")


@pytest.mark.parametrize(("table", "where"), _TABLES.items(), ids=lambda part: getattr(part, "__name__", ""))
def test_an_unknown_key_is_refused_by_both(table: type[Table], where: Where, place: Path) -> None:
    recipe = _recipe((*where, "strange"))
    recipe = _set(recipe, (*where, "strange"), 1)
    assert "unknown key" in " ".join(fault.message for fault in _load(recipe, place))
    assert not _allows(recipe)


def test_the_command_prints_the_schema() -> None:
    done = CliRunner().invoke(main, ["schema"])
    assert done.exit_code == 0
    assert json.loads(done.output) == SCHEMA
