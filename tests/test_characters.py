from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.demo import NANO
from lorarecipe.errors import RecipeError
from lorarecipe.files import home
from lorarecipe.recipe import Overrides, Recipe, load, load_all
from lorarecipe.recipe.characters import _rows, characters_in
from lorarecipe.recipe.writing import toml_value
from lorarecipe.run import find_run
from lorarecipe.weights import Weights
from tests.conftest import RECIPE
from tests.renders import character, demo_renders
from tests.test_cli import _call
from tests.test_overrides import _TEXTS, _VALUES
from tests.test_versions import _faults, _plan

LIST = """
[[characters]]
name = "akane"
images = "aoi"

[[characters]]
name = "緑"
images = "midori"
merge.strength = 0.9
target.training.epochs = 12
[characters.target.training.extra]
min_snr_gamma = 5
"""
PLAIN = f"{RECIPE.replace(chr(10) + 'images = ' + chr(34) + 'aoi' + chr(34), '')}{LIST}"


@pytest.fixture
def place(folder: Path) -> Path:
    """A recipe with a list of characters, and all that it names."""
    character(folder / "midori", "green hair", "long hair", None)
    (folder / "recipe.toml").write_text(PLAIN, encoding="utf-8")
    return folder


def _loaded(place: Path, table: str = "", **more: Any) -> tuple[Recipe, ...]:
    """Load the recipe of the place, with a table of characters beside it."""
    if table:
        (place / "list.csv").write_text(table, encoding="utf-8")
        more["characters"] = place / "list.csv"
    return load_all([place / "recipe.toml"], Overrides(**more))


def test_each_character_is_a_recipe_of_its_own(place: Path) -> None:
    akane, midori = _loaded(place)
    assert akane.target
    assert midori.target
    assert [(one.name, one.base_name) for one in (akane, midori)] == [("akane", "aoi"), ("緑", "aoi")]
    assert (akane.target.images, midori.target.images) == (place / "aoi", place / "midori")
    assert (akane.target.training.epochs, midori.target.training.epochs) == (1, 12)
    assert (midori.target.training.rank, midori.target.training.extra) == (2, {"min_snr_gamma": 5})
    assert (akane.merge.strength, midori.merge.strength) == (1.0, 0.9)
    assert akane.sets == ('name = "akane"', 'target.images = "aoi"')
    kinds = [stage.kind for stage in _plan((akane, midori)).stages]
    assert {kind: kinds.count(kind) for kind in kinds} == {"data": 3, "train": 3, "merge": 2}


def test_a_table_says_the_same(place: Path) -> None:
    listed = _loaded(place)
    (place / "recipe.toml").write_text(PLAIN.removesuffix(LIST), encoding="utf-8")
    table = (
        "name,images,merge.strength,target.training.epochs,target.training.extra\n"
        "akane,aoi,,,\n\n緑,midori,0.9,12,{ min_snr_gamma = 5 }\n"
    )
    for encoded in (table, f"\ufeff{table}", table.replace(",", ";"), table.replace(",", "\t").replace("\n", "\r\n")):
        read = _loaded(place, encoded)
        assert [stage.key for stage in _plan(read).stages] == [stage.key for stage in _plan(listed).stages]
        assert [recipe.name for recipe in read] == ["akane", "緑"]


def test_a_recipe_of_one_character_is_a_pattern_for_others(folder: Path) -> None:
    akane, midori = _loaded(folder, "name,images\nakane,\n2024-01-01,red\n")
    assert akane.target
    assert midori.target
    assert (akane.target.images, midori.target.images) == (folder / "aoi", folder / "red")
    assert midori.name == "2024-01-01"


def test_the_command_line_goes_before_the_list(place: Path) -> None:
    recipes = _loaded(place, sets=("target.training.epochs=3",), sweeps=("target.training.rank=8,16",))
    assert [recipe.name for recipe in recipes] == ["akane-rank8", "akane-rank16", "緑-rank8", "緑-rank16"]
    assert {recipe.target.training.epochs for recipe in recipes if recipe.target} == {3}


def test_the_name_of_the_file_names_the_base_where_nothing_else_does(place: Path) -> None:
    path = place / "recipe.toml"
    path.write_text(PLAIN.replace('name = "aoi"\n', ""), encoding="utf-8")
    assert [recipe.base_name for recipe in _loaded(place)] == ["recipe", "recipe"]


def test_a_base_of_its_own_has_a_name_of_its_own(place: Path) -> None:
    path = place / "recipe.toml"
    path.write_text(PLAIN.replace("merge.strength = 0.9", "base.training.rank = 8"), encoding="utf-8")
    assert [recipe.base_name for recipe in _loaded(place)] == ["aoi", "aoi-緑"]


def test_another_recipe_may_use_the_base_of_a_list(place: Path) -> None:
    settings = PLAIN[PLAIN.index("[target.training]") : PLAIN.index("[rules]")]
    text = f'format = 1\nname = "kuro"\n[base]\nfrom = "recipe.toml"\n[target]\nimages = "red"\n{settings}'
    (place / "kuro.toml").write_text(text, encoding="utf-8")
    kuro, *others = load_all([place / "kuro.toml", place / "recipe.toml"])
    assert kuro.base == others[0].base
    assert kuro.base_name == "aoi"


def test_an_empty_table_of_a_character_changes_no_other(place: Path) -> None:
    path = place / "recipe.toml"
    path.write_text(f"{PLAIN}[characters.target.allow]\n[characters.refine]\n", encoding="utf-8")
    akane, midori = _loaded(place)
    assert (akane.refine, bool(midori.refine)) == (None, True)
    assert midori.target
    assert midori.target.training.rank == 2


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "緑"\n', "", "recipe.toml:48: characters[1].name: the key is missing; write it here"),
        ('images = "midori"\n', "", "recipe.toml:48: characters[1].images: the key is missing; write it here"),
        ('images = "midori"\n', 'imges = "midori"\n', "recipe.toml:50: characters[1].imges: found an unknown key; did you mean images?"),
        ("merge.strength = 0.9", "merge.strength = 9", "recipe.toml:51: characters[1].merge.strength: found 9, expected less than or equal to 2"),
        ("training.epochs = 12", "training.epchs = 12", "recipe.toml:52: characters[1].target.training.epchs: found an unknown key; did you mean epochs?"),
        ('name = "緑"', 'name = "akane"', "recipe.toml:49: characters[1].name: found 'akane', which recipe.toml has too"),
        ('name = "緑"', 'name = "a/b"', "recipe.toml:49: characters[1].name: found 'a/b', expected letters and digits"),
        ('name = "緑"', "name = 7", "recipe.toml:49: characters[1].name: found 7, expected a valid string"),
        ('name = "aoi"', 'name = "a/b"', "recipe.toml:2: name: found 'a/b', expected letters and digits"),
        ("min_snr_gamma = 5", "min_snr_gama = 5", "recipe.toml:54: characters[1].target.training.extra.min_snr_gama: found"),
        (LIST, "\n[characters]\nname = 'x'\n", "recipe.toml:44: characters: expected [[characters]], a table for each"),
        (LIST, "", "recipe.toml:28: target: found neither images nor folders, expected one of: images, [[target.folders]]"),
        ('format = 1', 'format = 1\ncharacters = ["x"]', "not TOML"),
        (LIST, "\n[[characters]]\nname = 'x'\nimages = 'aoi'\nformat = 2\n", "characters[0].format: found an unknown key"),
    ],
)  # fmt: skip
def test_a_fault_of_a_list(place: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, expected: str) -> None:
    assert PLAIN.count(old) == 1
    (place / "recipe.toml").write_text(PLAIN.replace(old, new), encoding="utf-8")
    [fault] = _faults(place / "recipe.toml", Overrides(), monkeypatch)
    assert expected in fault


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", ["list.csv:1: the file is empty, expected the columns name and images"]),
        ("name,images\n", ["list.csv:1: found no character, expected a line for each"]),
        ("images\nred\n", ["list.csv:1: found no column name, expected one"]),
        ("name,name\na,b\n", ["list.csv:1: name: found the column twice, expected it once"]),
        ("name,imags\na,b\n", ["list.csv:1: imags: found an unknown column; did you mean images?; expected name, images or the path of a key"]),
        ("name,images\na,b,c\n", ["list.csv:2: found 3 cells, expected 2, as there are columns"]),
        ("name,images\n,red\n", ["list.csv:2: name: the cell is empty; write it here"]),
        ('name,images\n"a\nb",red\n/,aoi\n', ["list.csv:2: name: found 'a\\nb', expected letters", "list.csv:4: name: found '/', expected letters"]),
        ('name,images\na,"b"c\n', ["list.csv:2: not CSV: ',' expected after '\"'"]),
        ("name,target.training.epochs\na,many\nb,0\n", [
            "list.csv:2: target.training.epochs: found 'many', expected a valid integer",
            "list.csv:3: target.training.epochs: found 0, expected greater than or equal to 1",
        ]),
        ("name,target.training.epchs\na,3\n", ["list.csv:2: target.training.epchs: found an unknown key; did you mean epochs?"]),
        ("name,samples.steps\na,3\n", ["list.csv:2: samples.prompts: the key is missing; write it here"]),
        ("name\na\nA\n", ["list.csv:3: name: found 'A', which recipe.toml has too"]),
    ],
)  # fmt: skip
def test_a_fault_of_a_table(folder: Path, monkeypatch: pytest.MonkeyPatch, table: str, expected: list[str]) -> None:
    (folder / "list.csv").write_text(table, encoding="utf-8")
    faults = _faults(folder / "recipe.toml", Overrides(characters=Path("list.csv")), monkeypatch)
    assert len(faults) == len(expected)
    for fault, start in zip(faults, expected, strict=True):
        assert fault.startswith(start)


def test_a_table_that_is_not_there_or_not_utf8(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overrides = Overrides(characters=Path("list.csv"))
    [fault] = _faults(folder / "recipe.toml", overrides, monkeypatch)
    assert fault.endswith("(No such file or directory), expected a table with the columns name and images")
    (folder / "list.csv").write_bytes("name,images\n緑,red\n".encode("shift-jis"))
    [fault] = _faults(folder / "recipe.toml", overrides, monkeypatch)
    assert fault.startswith("list.csv:2: this line is not UTF-8")


def test_a_list_stands_in_one_place(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "list.csv").write_text("name,images\na,red\n", encoding="utf-8")
    assert _faults(place / "recipe.toml", Overrides(characters=Path("list.csv")), monkeypatch) == [
        "--characters: found list.csv beside [[characters]] in recipe.toml, expected one of them"
    ]
    code, _, errors = _call(place, "check", "recipe.toml", "other.toml", "--characters", "list.csv")
    assert (code, "--characters goes with one recipe" in errors) == (2, True)
    with pytest.raises(RecipeError, match="found 2 recipes in the file, expected one"):
        load(place / "recipe.toml")


@given(
    st.lists(st.tuples(_TEXTS, _TEXTS).filter(lambda row: any(cell.strip() for cell in row)), min_size=1),
    st.sampled_from(",;\t"),
)
def test_what_a_writer_of_csv_writes_is_read_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    rows = [(one.replace("\r", ""), other.replace("\r", "")) for one, other in rows]
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    path = home() / "list.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([("name", "images"), *rows])
    text = path.read_text("utf-8")
    assert [(*cells,) for _, cells in _rows(path, text)] == [("name", "images"), *rows]


@given(st.lists(_VALUES.filter(lambda value: value != ""), min_size=1, max_size=4))
def test_values_of_a_table_are_read_back(values: list[Any]) -> None:
    path = home() / "list.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    written = [toml_value(value) for value in values]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("name", "images", "rules"), *(("a", "b", one) for one in written)])
    entries = characters_in(path, {})
    assert [entry[2].value for entry in entries] == values


BASE = """\
format = 1
name = "base"

[checkpoint]
family = "sd15"
path = "renders/nano"

[[base.characters]]
images = "renders/red"
traits = ["red hair", "long hair", "blue dress"]

[[base.characters]]
images = "renders/green"
traits = ["green hair", "short hair", "yellow dress"]

[base.training]
rank = 2
alpha = 2
unet_lr = 1e-3
steps = 3
resolution = 64
buckets = false

[base.gate]
images = 1
steps = 2
prompts = ["red hair"]
against = []

[target.training]
rank = 2
alpha = 2
unet_lr = 1e-3
steps = 2
resolution = 64
buckets = false

[trainer]
engine = "embedded"
device = "cpu"

[samples]
prompts = ["1girl"]
weights = [0, 1]
steps = 2

[rules]
SET005 = { severity = "ignore", reason = "two characters are enough for a test" }

[[characters]]
name = "honey"
images = "renders/honey"

[[characters]]
name = "琥珀"
images = "renders/honey"
target.repeats = 2
target.training.steps = 3
"""


def test_two_characters_on_one_base(tmp_path: Path) -> None:
    """The real thing, in miniature: the base is trained once, and each character has its own LoRA."""
    demo_renders(tmp_path / "renders")
    (tmp_path / "list.toml").write_text(BASE.replace("renders/nano", str(NANO)), encoding="utf-8")
    code, out, errors = _call(tmp_path, "run", "list.toml")
    assert code == 0, errors
    record = find_run(home() / "runs", "last").record
    assert record.results == ["honey", "琥珀"]
    trained = [stage for stage in record.stages if stage.kind == "train"]
    assert [stage.title for stage in trained] == ["base base", "target honey", "target 琥珀"]
    assert {stage.outcome for stage in record.stages} == {"made"}
    loras = [tmp_path / "out" / name / f"{name}.safetensors" for name in record.results]
    assert all(f"{lora.relative_to(tmp_path)}\n" in out for lora in loras)
    assert len({Weights(lora).metadata["lorarecipe.base"] for lora in loras}) == 1
    assert len({lora.read_bytes() for lora in loras}) == 2
    told = json.loads((tmp_path / "out" / "琥珀" / "run.json").read_text("utf-8"))
    assert told["sets"] == [
        'name = "琥珀"',
        'target.images = "renders/honey"',
        "target.repeats = 2",
        "target.training.steps = 3",
    ]
    for name in record.results:
        figures = r"gate (pass|doubtful|fail), weight 1, unlike [\d.]+, leak [\d.]+, 0:\d\d:\d\d"
        assert re.search(f"^{name}: {figures}, out/{name}/{name}.safetensors$", errors, re.MULTILINE), errors
    assert _call(tmp_path, "report", "last")[1].splitlines()[-1] == "report.html"
    page = (tmp_path / "report.html").read_text("utf-8")
    pictures = json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert {(one["prompt"], one["arm"]) for one in pictures if one["weight"]} == {
        ("1girl", f"{name}: target") for name in record.results
    }
    code, _, errors = _call(tmp_path, "rerun", "last")
    assert (code, errors.count("reused")) == (0, len(record.stages))
