from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.cli import main
from lorarecipe.errors import RecipeError
from lorarecipe.files import home
from lorarecipe.recipe import Overrides, Recipe, load, load_all
from lorarecipe.recipe.overrides import key_of, split, value_of
from lorarecipe.run import find_run
from tests.conftest import RECIPE
from tests.test_alone import RECIPE as PLAIN
from tests.test_alone import place as place
from tests.test_cli import _call

Edit = Callable[[str, str], Path]

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)


def _set(path: Path, *sets: str) -> Recipe:
    return load(path, Overrides(sets=sets))


def _faults(path: Path, monkeypatch: pytest.MonkeyPatch, *sets: str) -> list[str]:
    monkeypatch.chdir(path.parent)
    with pytest.raises(RecipeError) as caught:
        _set(Path(path.name), *sets)
    return str(caught.value).splitlines()


@given(_VALUES)
def test_what_a_writer_of_toml_writes_is_read_back(value: Any) -> None:
    written = tomli_w.dumps({"key": [[value]]}).removeprefix("key = ").removesuffix("\n")
    assert value_of(written) == [[value]]


@given(st.lists(_TEXTS, min_size=1, max_size=4), _TEXTS.filter(str.strip))
def test_any_key_is_read_back(parts: list[str], value: str) -> None:
    key = ".".join(tomli_w.dumps({part: 0}).removesuffix(" = 0\n") for part in parts)
    assert key_of(key) == tuple(parts)
    assert split(f"{key}={value}") == (tuple(parts), value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("1e-4", 1e-4),
        ("true", True),
        ("AdamW", "AdamW"),
        ("renders/akane two", "renders/akane two"),
        (r"C:\renders\akane", r"C:\renders\akane"),
        ("hf://owner/repo/a.safetensors", "hf://owner/repo/a.safetensors"),
        ('"12"', "12"),
        ("[512, 768]", [512, 768]),
        ("[512, 768", "[512, 768"),
        ("{ min = 64, max = 256 }", {"min": 64, "max": 256}),
        ("{zoom}_{view}", "{zoom}_{view}"),
        ("1\nother = 2", "1\nother = 2"),
        ("1" * 5000, "1" * 5000),
    ],
)
def test_a_value(text: str, value: object) -> None:
    assert value_of(text) == value


def test_any_key_of_a_recipe_can_be_set(folder: Path) -> None:
    recipe = _set(
        folder / "recipe.toml",
        "target.training.epochs=12",
        "base.characters.1.repeats=3",
        "base.training.optimizer=Prodigy",
        "base.training.unet_lr=1",
        "target.training.extra.min_snr_gamma=5",
        'target.allow."sword_*"=["holding sword"]',
        "merge.strength=0.8",
        "name=midori",
        "rules.SET005.severity=warning",
    )
    assert recipe.target
    assert recipe.base.training
    assert (recipe.name, recipe.merge.strength, recipe.target.training.epochs) == ("midori", 0.8, 12)
    assert (recipe.base.training.optimizer, recipe.base.training.unet_lr) == ("Prodigy", 1)
    assert [character.repeats for character in recipe.base.characters] == [1, 3]
    assert recipe.target.training.extra == {"min_snr_gamma": 5}
    assert recipe.target.allow == {"sword_*": ("holding sword",)}
    assert recipe.rules["SET005"].severity == "warning"
    assert recipe.sets[0] == "target.training.epochs = 12"
    assert recipe.sets[1] == "base.characters.1.repeats = 3"
    assert recipe.sets[5] == 'target.allow."sword_*" = ["holding sword"]'
    assert (folder / "recipe.toml").read_text("utf-8") == RECIPE


def test_of_two_the_last_one_counts(folder: Path) -> None:
    recipe = _set(folder / "recipe.toml", "target.training.rank=3", "target.training.rank=5")
    assert recipe.target
    assert recipe.target.training.rank == 5
    assert recipe.sets == ("target.training.rank = 5",)


def test_a_set_goes_before_a_preset_and_drops_what_it_stands_for(edit: Edit) -> None:
    edit('name = "aoi"', 'name = "aoi"\npreset = "emanon-2023"')
    recipe = _set(edit("\nepochs = 1\n", "\n"), "target.training.steps=7")
    assert recipe.target
    assert (recipe.target.training.steps, recipe.target.training.epochs) == (7, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target.training.rnk=3", "--set target.training.rnk=3: found an unknown key; did you mean rank?"),
        ("targt.training.rank=3", "--set targt.training.rank=3: targt: found an unknown key; did you mean target?"),
        ("target.training.rank=many", "--set target.training.rank=many: found 'many', expected a valid integer"),
        ("samples.steps=3", "--set samples.steps=3: samples.prompts: the key is missing; write it here"),
        ("name.first=x", "--set name.first=x: found name, which is no table, expected a table to set 'first' in"),
        ("base.characters.2.repeats=3", "--set base.characters.2.repeats=3: found '2', expected an index of base.characters: 0 to 1"),
        ("base.characters.red.repeats=3", "--set base.characters.red.repeats=3: found 'red', expected an index of base.characters: 0 to 1"),
        ("target.training.extra.min_snr_gama=5", "did you mean min_snr_gamma?"),
        ("base.characters.1.traits=[]", "--set base.characters.1.traits=[]: found [], expected at least 1 entry"),
        ("target.training.resolution=512", "--set target.training.resolution=512: target.training: found resolution 512x512 outside the buckets"),
        ("target.training", "--set target.training: expected KEY=VALUE, where KEY is the path of a key, as target.training.epochs"),
        ("=3", "--set =3: expected KEY=VALUE"),
        ("target..rank=3", "--set target..rank=3: expected KEY=VALUE"),
        ('"\\q"=3', "expected KEY=VALUE"),
        ("name=", "--set name=: found no value, expected KEY=VALUE"),
        ("name=2024-01-01", "--set name=2024-01-01: found datetime.date(2024, 1, 1), expected a valid string"),
        ("name=a\x1b[2J", "--set name=a\\x1b[2J: found 'a\\x1b[2J', expected letters and digits"),
        ("rules=" + "[" * 40 + "]" * 40, "found 41 tables or arrays within each other, expected 32 at most"),
        (".".join("a" * 2000) + "=1", "expected KEY=VALUE"),
        ("characters=[]", "--set characters=[]: found a key of [[characters]], expected one that each character's recipe has"),
        ("characters.0.name=x", "--set characters.0.name=x: found a key of [[characters]]"),
        ("target.images=nowhere", ""),
    ],
)  # fmt: skip
def test_a_fault_names_the_option(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: str) -> None:
    if expected:
        [fault] = _faults(folder / "recipe.toml", monkeypatch, text)
        assert expected in fault
    else:
        code, _, errors = _call(folder, "check", "recipe.toml", "--set", text)
        assert code == 2
        assert errors.startswith(f"--set {text}: found '")
        assert errors.endswith("which is not there, expected a folder\n")


def test_a_method_may_be_of_any_form(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    faults = _faults(folder / "recipe.toml", monkeypatch, "method=[1]")
    assert faults[0] == "--set method=[1]: found [1], expected 'two-phase', 'plain' or 'distill'"


def test_every_fault_of_options_and_file_at_once(edit: Edit, monkeypatch: pytest.MonkeyPatch) -> None:
    path = edit("rank = 4", "rank = 0")
    faults = _faults(path, monkeypatch, "target.training.rank=0", "merge.strngth=1")
    assert [fault.partition(": found")[0] for fault in faults] == [
        "--set target.training.rank=0",
        "--set merge.strngth=1",
        "recipe.toml:17: base.training.rank",
    ]


def _split_in_two(folder: Path, base: str = "", own: str = "") -> Path:
    """Write the recipe as a base's and a character's on it; give the character's."""
    head, rest = RECIPE.split("[target]")
    (folder / "bases").mkdir()
    text = head.replace('"aoi"', '"koikatsu"').replace('"red"', '"../red"').replace('"blue"', '"../blue"')
    (folder / "bases" / "koikatsu.toml").write_text(text.replace("checkpoint.saf", "../checkpoint.saf") + base, "utf-8")
    path = folder / "aoi.toml"
    path.write_text(f'format = 1\nname = "aoi"\n[base]\nfrom = "bases/koikatsu.toml"\n{own}\n[target]{rest}', "utf-8")
    return path


def test_keys_of_the_base_are_set_in_the_bases_recipe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _split_in_two(folder)
    recipe = _set(path, "base.training.rank=9", "checkpoint.clip_skip=2", "merge.strength=0.8", "trainer.device=cpu")
    assert recipe.base.training
    assert (recipe.base.training.rank, recipe.checkpoint.clip_skip) == (9, 2)
    assert (recipe.merge.strength, recipe.trainer.device) == (0.8, "cpu")
    assert len(recipe.sets) == 4
    assert _faults(path, monkeypatch, "base.training.rnk=9", "merge.strength=3", "target.training.rank=0") == [
        "--set target.training.rank=0: found 0, expected greater than or equal to 1",
        "--set base.training.rnk=9: found an unknown key; did you mean rank?",
        "--set merge.strength=3: found 3, expected less than or equal to 2",
    ]


def test_a_table_that_both_recipes_have_is_set_in_both(folder: Path) -> None:
    path = _split_in_two(folder, base="[merge]\nstrength = 0.9\n", own="[merge]\nstrength = 0.9\n")
    assert _set(path, "merge.strength=0.8").merge.strength == 0.8


def test_another_base_can_be_set(folder: Path) -> None:
    path = _split_in_two(folder)
    (folder / "bases" / "other.toml").write_text((folder / "bases" / "koikatsu.toml").read_text("utf-8"), "utf-8")
    assert _set(path, "base.from=bases/other.toml").base_lines.path.name == "other.toml"


def test_a_set_of_a_target_needs_one_in_each_recipe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _split_in_two(folder)
    monkeypatch.chdir(folder)
    paths = [Path("bases", "koikatsu.toml"), Path(path.name)]
    with pytest.raises(RecipeError) as caught:
        load_all(paths, Overrides(sets=("target.training.rank=3",)))
    assert str(caught.value) == (
        "--set target.training.rank=3: found no [target] in bases/koikatsu.toml, expected the recipe of a character"
    )
    assert [recipe.merge.strength for recipe in load_all(paths, Overrides(sets=("merge.strength=0.7",)))] == [0.7, 0.7]


def test_plan_and_doctor_take_sets(folder: Path) -> None:
    done = CliRunner().invoke(main, ["plan", str(folder / "recipe.toml"), "--set", "target.training.epochs=7"])
    assert (done.exit_code, "4 steps an epoch, 7 epochs -> 28 steps" in done.output) == (0, True), done.output
    done = CliRunner().invoke(main, ["doctor", str(folder / "recipe.toml"), "--set", "trainer.device=tpu"])
    assert "--set trainer.device=tpu: found 'tpu', expected auto, cpu, cuda or cuda:N" in str(done.exception)


def test_a_run_keeps_its_sets_and_is_made_again_with_them(place: Path) -> None:
    run = ("run", "aoi.toml", "--set", "target.training.steps=3")
    assert _call(place, *run)[0] == 0
    record = find_run(home() / "runs", "last").record
    assert record.arguments.sets == ["target.training.steps=3"]
    assert record.sets == {"aoi": ["target.training.steps = 3"]}
    assert record.recipes[0].text == (place / "aoi.toml").read_text("utf-8") == PLAIN
    assert {one.name: one.value for one in record.settings["aoi"] if one.table == "target.training"}["steps"] == "3"
    assert "set    aoi: target.training.steps = 3\n" in _call(place, "show", "last")[1]
    code, _, errors = _call(place, "rerun", "last")
    assert (code, errors.count("reused")) == (0, len(record.plan))
    again = find_run(home() / "runs", "last").record
    assert again.arguments == record.arguments
    assert _call(place, "run", "aoi.toml")[0] == 0
    told = _call(place, "diff", "0001", "last")[1]
    assert 'arguments: sets[0]: "target.training.steps=3" -> nothing\n' in told
    assert "training.steps was 3, is 2\n" in told
