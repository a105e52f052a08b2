from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from lorarecipe.dataset import scan
from lorarecipe.errors import CheckFailed, RecipeError
from lorarecipe.files import file_digest
from lorarecipe.plan import BaseFile, GateStage, MergeStage, Plan, TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from tests.renders import character, shoot
from tests.test_rules import _Q, _base, _lora

Edit = Callable[[str, str], Path]


def _plan(*paths: Path) -> Plan:
    return compile_plan([check(scan(load(path))) for path in paths])


def test_stages_in_order(folder: Path) -> None:
    plan = _plan(folder / "recipe.toml")
    assert [plan.title(stage) for stage in plan.stages] == [
        "images of the base aoi",
        "images of aoi",
        "base aoi",
        "base aoi merged into checkpoint.safetensors",
        "target aoi",
    ]
    assert plan.deliveries[0].keys == {stage.key for stage in plan.stages}


def test_load_mode_merges_nothing_into_a_file(edit: Edit) -> None:
    plan = _plan(edit("[target]\n", '[merge]\nmode = "load"\nstrength = 0.9\n[target]\n'))
    target = plan.stages[-1]
    assert isinstance(target, TrainStage)
    assert (target.merged, target.strength) == (None, 0.9)
    assert target.inputs[-1] == plan.stages[2]


def test_each_target_has_its_own_verdict_on_a_foreign_base(folder: Path) -> None:
    """The pictures are the same; what they are compared with is not."""
    _base(_lora(_Q))(folder)
    mine = folder / "recipe.toml"
    text = mine.read_text("utf-8")
    shutil.copytree(folder / "aoi", folder / "rin")
    with Image.open(folder / "rin" / "full_front.png") as image:
        image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(folder / "rin" / "full_front.png")
    other = folder / "rin.toml"
    other.write_text(text.replace('name = "aoi"', 'name = "rin"').replace('images = "aoi"', 'images = "rin"'))
    for path in (mine, other):
        path.write_text(path.read_text("utf-8").replace('mode = "off"', 'mode = "report"'), encoding="utf-8")
    plan = _plan(mine, other)
    gates = [stage for stage in plan.stages if isinstance(stage, GateStage) and not stage.pictures.merged]
    assert len(gates) == 2
    assert gates[0].pictures.key == gates[1].pictures.key
    assert gates[0].renders.key != gates[1].renders.key


def test_a_base_recipe_alone_delivers_the_base(folder: Path) -> None:
    path = folder / "recipe.toml"
    path.write_text(path.read_text("utf-8").split("[target]")[0], encoding="utf-8")
    plan = _plan(path)
    assert [stage.kind for stage in plan.stages] == ["data", "train"]
    assert plan.deliveries[0].stage == plan.stages[1]


def test_a_finished_base_is_merged_by_its_digest(folder: Path) -> None:
    _base(_lora(_Q))(folder)
    plan = _plan(folder / "recipe.toml")
    assert [stage.kind for stage in plan.stages] == ["data", "merge", "train"]
    merge = plan.stages[1]
    assert isinstance(merge, MergeStage)
    assert merge.base == BaseFile(folder / "base.safetensors", file_digest(folder / "base.safetensors"))


def test_the_same_images_under_two_roles_are_one_stage_with_both_titles(folder: Path) -> None:
    other = folder / "other.toml"
    other.write_text(
        (folder / "recipe.toml").read_text("utf-8").replace('"aoi"\n\n[ch', '"ao"\n\n[ch'), encoding="utf-8"
    )
    plan = _plan(folder / "recipe.toml", other)
    assert len(plan.stages) == 5
    assert plan.title(plan.stages[-1]) == "target aoi; target ao"


def test_a_stage_that_serves_two_ends_waits_for_nothing_that_needs_it(edit: Edit) -> None:
    """The base draws the same for its gate, before the target is trained, and as an arm of the samples, after it."""
    drawn = 'prompts = ["1girl"]\nimages = 1\nsteps = 2\n'
    path = edit('mode = "off"\n', f"{drawn}against = []\n")
    path = edit("[target]\n", f"[control]\nenabled = true\n\n[samples]\n{drawn}\n[target]\n")
    plan = _plan(path)
    [delivery] = plan.deliveries
    assert delivery.gate[0].pictures.key == delivery.arms["base"][0].key
    assert len({stage.key for stage in plan.stages}) == len(plan.stages)


def test_recipes_are_made_in_the_order_in_which_they_are_given(edit: Edit, folder: Path) -> None:
    path = edit("[target]\n", '[control]\nenabled = true\n\n[samples]\nprompts = ["1girl"]\n\n[target]\n')
    other = folder / "rin.toml"
    other.write_text(path.read_text("utf-8").replace('name = "aoi"', 'name = "rin"'))
    other.write_text(other.read_text("utf-8").replace("[target]\n", "[target]\nrepeats = 2\n"), encoding="utf-8")
    plan = _plan(path, other)
    trained = [plan.title(stage) for stage in plan.stages if stage.kind == "train"]
    assert trained == [
        "base aoi; base rin",
        "target aoi",
        "target rin",
        "the control arm of aoi",
        "the control arm of rin",
    ]


def test_the_order_of_all_that_there_is(edit: Edit) -> None:
    path = edit('mode = "off"\n', 'mode = "report"\n')
    path = edit("[target]\n", '[control]\nenabled = true\n\n[samples]\nprompts = ["1girl"]\n\n[target]\n')
    plan = _plan(path)
    assert [plan.title(stage).split(" on the")[0] for stage in plan.stages] == [
        "images of the base aoi",
        "images of aoi",
        "base aoi",
        "pictures for the gate of base aoi",
        "gate of base aoi",
        "base aoi merged into checkpoint.safetensors",
        "pictures for the gate of base aoi merged into checkpoint.safetensors",
        "gate of base aoi merged into checkpoint.safetensors",
        "target aoi",
        "the control arm of aoi",
        "samples of aoi",
        "samples of base aoi",
        "samples of the control arm of aoi",
        "leak test of aoi",
    ]


def test_a_missing_checkpoint(folder: Path) -> None:
    (folder / "checkpoint.safetensors").unlink()
    with pytest.raises(RecipeError, match=r"recipe.toml:6: checkpoint.path: found '.*', which is not there"):
        _plan(folder / "recipe.toml")


def test_a_promised_digest_serves_without_the_file_and_is_held_to_with_it(folder: Path, edit: Edit) -> None:
    edit('path = "checkpoint.safetensors"', f'path = "checkpoint.safetensors"\nsha256 = "{"0" * 64}"')
    with pytest.raises(RecipeError, match=r"recipe.toml:7: checkpoint.sha256: found 0+, but"):
        _plan(folder / "recipe.toml")
    (folder / "checkpoint.safetensors").unlink()
    assert len(_plan(folder / "recipe.toml").stages) == 5


def test_an_image_too_small_for_its_bucket(folder: Path, edit: Edit) -> None:
    edit(
        "resolution = 128\nbuckets = { min = 64, max = 256 }\nsave",
        "resolution = 128\nbuckets = { min = 64, max = 256, no_upscale = true }\nsave",
    )
    shoot("red hair", "ponytail", "full_front", (60, 160)).save(folder / "aoi" / "full_front.png")
    with pytest.raises(CheckFailed, match="found 60x160 pixels, too small"):
        _plan(folder / "recipe.toml")


def _in_folders(folder: Path, edit: Edit) -> Path:
    """Give the target a second folder, which counts twice."""
    character(folder / "winter", "blonde", "twintails", None, scale=2)
    shown = '[[target.folders]]\nimages = "aoi"\n[[target.folders]]\nimages = "winter"\nrepeats = 2\n'
    text = (folder / "recipe.toml").read_text("utf-8")
    return edit(text[text.index("[target]") :], f"{shown}{text[text.index('[target.training]') :]}")


def test_a_target_in_several_folders(folder: Path, edit: Edit) -> None:
    one = _plan(folder / "recipe.toml")
    plan = _plan(_in_folders(folder, edit))
    target = plan.deliveries[0].stage
    assert target.repeats == (1, 2)
    assert [len(group) for group in target.data.groups] == [4, 4]
    assert target.data.paths[1][0] == str(folder / "winter" / "full_back.png")
    assert target.sum[:2] == ["4 images x 1 repeat", "4 images x 2 repeats"]
    assert {stage.key for stage in one.stages} - {stage.key for stage in plan.stages} == {
        one.deliveries[0].stage.key,
        one.deliveries[0].stage.data.key,
    }


def test_a_folder_alone_is_what_images_are(folder: Path, edit: Edit) -> None:
    before = [stage.key for stage in _plan(folder / "recipe.toml").stages]
    path = edit('[target]\nimages = "aoi"\n', '[[target.folders]]\nimages = "aoi"\nrepeats = 1\n')
    assert [stage.key for stage in _plan(path).stages] == before
