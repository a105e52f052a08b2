from __future__ import annotations

import json
from pathlib import Path

import pytest

from lorarecipe.dataset import Known, scan
from lorarecipe.errors import RecipeError
from lorarecipe.files import home
from lorarecipe.plan import Plan, TrainStage, compile_plan
from lorarecipe.recipe import Overrides, Recipe, load, load_all
from lorarecipe.rules import check
from lorarecipe.run import find_run
from tests.test_alone import place as place
from tests.test_cli import _call
from tests.test_overrides import _split_in_two


def _swept(path: Path, *sweeps: str, sets: tuple[str, ...] = ()) -> tuple[Recipe, ...]:
    return load_all([path], Overrides(sets=sets, sweeps=sweeps))


def _plan(recipes: tuple[Recipe, ...]) -> Plan:
    return compile_plan([check(scan(recipe)) for recipe in recipes])


def _faults(path: Path, overrides: Overrides, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(path.parent)
    with pytest.raises(RecipeError) as caught:
        load_all([Path(path.name)], overrides)
    return str(caught.value).splitlines()


def test_each_combination_is_a_recipe_of_its_own(folder: Path) -> None:
    recipes = _swept(folder / "recipe.toml", "merge.strength=0.8,1.0", "target.training.rank=8,16")
    assert [recipe.name for recipe in recipes] == [
        "aoi-strength0.8-rank8",
        "aoi-strength0.8-rank16",
        "aoi-strength1.0-rank8",
        "aoi-strength1.0-rank16",
    ]
    assert [(recipe.merge.strength, recipe.target and recipe.target.training.rank) for recipe in recipes] == [
        *((0.8, 8), (0.8, 16), (1.0, 8), (1.0, 16)),
    ]
    assert {recipe.base_name for recipe in recipes} == {"aoi"}
    kinds = [stage.kind for stage in _plan(recipes).stages]
    assert {kind: kinds.count(kind) for kind in kinds} == {"data": 2, "train": 5, "merge": 2}


@pytest.mark.parametrize(
    ("sweep", "names"),
    [
        ("target.training.optimizer=AdamW,Lion", ["aoi-optimizerAdamW", "aoi-optimizerLion"]),
        ("target.training.resolution=128,[128, 64]", ["aoi-resolution128", "aoi-resolution-128-64"]),
        ("target.training.gradient_checkpointing=true,false", ["aoi-gradient_checkpointingtrue", "aoi-gradient_checkpointingfalse"]),
        ("target.training.unet_lr=1e-4,0.5", ["aoi-unet_lr0.0001", "aoi-unet_lr0.5"]),
        ('target.training.scheduler="cosine",linear', ["aoi-schedulercosine", "aoi-schedulerlinear"]),
        ("target.training.rank=4", ["aoi-rank4"]),
        ("target.training.buckets={min = 64, max = 256},{min = 64, max = 512}", ["aoi-buckets-min-64-max-256", "aoi-buckets-min-64-max-512"]),
        ("target.captions.pattern={zoom}_{view},{zoom}", ["aoi-pattern-zoom-_-view", "aoi-pattern-zoom"]),
        ("target.captions.words.x=[a, b],c", None),
    ],
)  # fmt: skip
def test_values(folder: Path, sweep: str, names: list[str] | None) -> None:
    if names is None:
        with pytest.raises(RecipeError, match="found '\\[a, b\\]', expected one tag"):
            _swept(folder / "recipe.toml", sweep, sets=("target.captions.pattern={zoom}",))
    else:
        assert [recipe.name for recipe in _swept(folder / "recipe.toml", sweep)] == names


def test_the_name_that_is_set_is_the_one_that_is_added_to(folder: Path) -> None:
    recipes = _swept(folder / "recipe.toml", "target.training.rank=8,16", sets=("name=midori",))
    assert [recipe.name for recipe in recipes] == ["midori-rank8", "midori-rank16"]


def test_each_base_has_a_name_of_its_own(folder: Path) -> None:
    recipes = _swept(_split_in_two(folder), "base.training.rank=4,8", "target.training.rank=2,3")
    assert [recipe.base_name for recipe in recipes] == ["koikatsu-rank4"] * 2 + ["koikatsu-rank8"] * 2
    plan = _plan(recipes)
    bases = [stage for stage in plan.stages if isinstance(stage, TrainStage) and stage.role == "base"]
    assert [plan.title(stage) for stage in bases] == ["base koikatsu-rank4", "base koikatsu-rank8"]


@pytest.mark.parametrize(
    ("sweeps", "expected"),
    [
        (("target.training.rank=8,0",), "--sweep target.training.rank=8,0: found 0, expected greater than or equal to 1"),
        (("target.training.rnk=8,16",), "--sweep target.training.rnk=8,16: found an unknown key; did you mean rank?"),
        (("target.training.rank",), "--sweep target.training.rank: expected KEY=VALUE"),
        (("target.training.rank=",), "--sweep target.training.rank=: found no value"),
        (("target.training.rank=8,8",), "--sweep target.training.rank=8,8: found 'aoi-rank8', which recipe.toml has too"),
        (("target.training.rank=" + ",".join(map(str, range(1, 102))),), "found 101 points, expected 100 at most; give fewer values"),
        (("target.training.rank=1,2,3,4,5,6,7,8,9,10,11", "target.training.alpha=1,2,3,4,5,6,7,8,9,10"),
         "--sweep target.training.rank=1,2,3,4,5,6,7,8,9,10,11 --sweep target.training.alpha=1,2,3,4,5,6,7,8,9,10: found 110 points"),
    ],
)  # fmt: skip
def test_a_fault_names_the_option(
    folder: Path, monkeypatch: pytest.MonkeyPatch, sweeps: tuple[str, ...], expected: str
) -> None:
    [fault] = _faults(folder / "recipe.toml", Overrides(sweeps=sweeps), monkeypatch)
    assert expected in fault


def test_only_some_of_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, sweeps = folder / "recipe.toml", ("target.training.rank=4,8,16",)
    found = load_all([path], Overrides(sweeps=sweeps, only=("AOI-rank16", "aoi-rank4")))
    assert [recipe.name for recipe in found] == ["aoi-rank4", "aoi-rank16"]
    assert _faults(path, Overrides(sweeps=sweeps, only=("aoi-rank8", "aoi-rnk4", "rin")), monkeypatch) == [
        (
            "--only aoi-rnk4: found no result of this name; did you mean aoi-rank4?, "
            "expected one of aoi-rank4, aoi-rank8, aoi-rank16"
        ),
        "--only rin: found no result of this name, expected one of aoi-rank4, aoi-rank8, aoi-rank16",
    ]


def test_a_hundred_points_are_a_hundred_recipes(folder: Path) -> None:
    recipes = _swept(folder / "recipe.toml", "target.training.rank=" + ",".join(map(str, range(1, 101))))
    assert len({recipe.name for recipe in recipes}) == 100


def test_a_folder_that_several_recipes_share_is_read_once(folder: Path) -> None:
    recipes, known = _swept(folder / "recipe.toml", "target.training.rank=8,16", "target.repeats=1,2"), Known()
    datasets = [scan(recipe, known=known) for recipe in recipes]
    assert all(one is other for one, other in zip(datasets[0].base, datasets[-1].base, strict=True))
    assert datasets[0].target[0] is not datasets[1].target[0]
    assert datasets[0].target[0] is datasets[2].target[0]
    assert datasets == [scan(recipe) for recipe in recipes]


def test_load_gives_one_recipe(folder: Path) -> None:
    assert load(folder / "recipe.toml", Overrides(sweeps=("target.training.rank=8",))).name == "aoi-rank8"
    with pytest.raises(RecipeError, match="found 2 recipes in the file, expected one"):
        load(folder / "recipe.toml", Overrides(sweeps=("target.training.rank=8,16",)))


def test_a_swept_run_is_made_again_whole(place: Path) -> None:
    sweep = ("--sweep", "target.training.steps=2,3")
    code, out, errors = _call(place, "run", "aoi.toml", *sweep)
    assert code == 0, errors
    for name in ("aoi-steps2", "aoi-steps3"):
        assert f"out/{name}/{name}.safetensors\n" in out
        assert json.loads((place / "out" / name / "run.json").read_text("utf-8"))["sets"] == [
            f"target.training.steps = {name[-1]}",
            f'name = "{name}"',
        ]
    record = find_run(home() / "runs", "last").record
    assert record.results == ["aoi-steps2", "aoi-steps3"]
    assert record.arguments.sweeps == ["target.training.steps=2,3"]
    code, _, errors = _call(place, "rerun", "last")
    assert (code, errors.count("reused")) == (0, len(record.plan))
    assert _call(place, "run", "aoi.toml", *sweep, "--only", "aoi-steps3")[0] == 0
    assert _call(place, "rerun", "last")[0] == 0
    record = find_run(home() / "runs", "last").record
    assert (record.results, record.arguments.only) == (["aoi-steps3"], ["aoi-steps3"])
