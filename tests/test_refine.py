"""The third phase on the embedded trainer: what it makes, delivers, and says of each picture; and the author's own picks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.errors import RecipeError
from lorarecipe.events import Delivered, Event, Started, Unpicked
from lorarecipe.plan import ChoiceStage, Plan, TrainStage, compile_plan, rehearsal_of
from lorarecipe.plan.refine import default_prompts
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer
from lorarecipe.weights import Weights
from tests.renders import demo_renders

TRAINING = 'rank = 2\nalpha = 2\nunet_lr = 1e-3\nresolution = 64\nbuckets = false\nscheduler = "constant"\n'
RECIPE = f"""\
format = 1
name = "aoi"

[checkpoint]
family = "sd15"
path = "{NANO}"

[[base.characters]]
images = "renders/red"
traits = ["red hair", "long hair", "blue dress"]

[base.training]
{TRAINING}steps = 2

[base.gate]
mode = "off"

[target]
images = "renders/honey"
repeats = 3

[target.training]
{TRAINING}epochs = 2
save_every_epochs = 1

[trainer]
engine = "embedded"
device = "cpu"

[samples]
prompts = ["1girl"]
weights = [0, 1]
steps = 2
"""
REFINE = """
[refine]
prompts = ["1girl, forest", "1girl, beach, arms up"]
weights = [1, 1.5]
images = 1
steps = 2
keep = 3
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    demo_renders(tmp_path / "renders")
    return tmp_path


def _recipe(place: Path, more: str = REFINE) -> Path:
    path = place / "aoi.toml"
    path.write_text(RECIPE + more, encoding="utf-8")
    return path


def _plan(recipe: Path) -> Plan:
    return compile_plan([check(scan(load(recipe)))])


def _run(recipe: Path) -> list[Event]:
    place = recipe.parent
    return list(execute(_plan(recipe), Here(find_trainer("embedded"), Store(place / "store")), place / "out"))


def _candidates(place: Path) -> list[dict[str, object]]:
    told: list[dict[str, object]] = json.loads((place / "out/aoi/candidates.json").read_text("utf-8"))["pictures"]
    return told


def test_the_whole_of_it(place: Path) -> None:
    recipe = _recipe(place, REFINE + '[deliver]\nweight = "advised"\n')
    recipe.write_text(recipe.read_text("utf-8").replace("weights = [0, 1]\n", "weights = [0, 1]\nevery_epochs = 1\n"))
    files = [Path(event.path).name for event in _run(recipe) if isinstance(event, Delivered)]
    expected = ["aoi.safetensors", "aoi-000001.safetensors", "aoi-target.safetensors", "aoi-target-000001.safetensors"]
    expected += ["aoi.json", "aoi.preview.png", "aoi-target.json", "aoi-target.preview.png"]
    assert {*files} == {*expected, "aoi-baked.safetensors", "candidates.json", "all.png", "leak.json"}
    plan = _plan(recipe)
    kinds = [stage.kind for stage in plan.stages]
    assert kinds[:5] == ["data", "data", "train", "merge", "train"]
    assert sorted(kinds[5:]) == ["choice", "leak", *["sample"] * 4, "train"]
    target, refined = [stage for stage in plan.stages if isinstance(stage, TrainStage)][1:]
    assert (refined.role, refined.merged, refined.training) == ("refined", None, target.training)
    assert refined.repeats == (4,)  # 3 pictures in an epoch of the target's four images, three times each
    store = Store(place / "store")
    [choice] = [stage for stage in plan.stages if isinstance(stage, ChoiceStage)]
    copies = store.path(choice.short) / "00"
    assert sorted(path.name for path in copies.iterdir()) == [
        f"0000{number}.{suffix}" for number in range(3) for suffix in ("png", "txt")
    ]
    assert {path.read_text("utf-8") for path in copies.glob("*.txt")} <= {"1girl, forest\n", "1girl, beach, arms up\n"}
    told = _candidates(place)
    assert len(told) == 4  # two prompts at two weights; what is drawn without the LoRA is not to be picked
    assert any(one["picked"] for one in told)
    assert all(one["why"] for one in told)
    for one in told:
        with Image.open(place / "out" / "aoi" / str(one["path"])) as picture:
            assert "<lora:aoi-target:" in picture.info["parameters"]  # what drew it
    for name, stage in (("aoi", refined), ("aoi-target", target)):
        metadata = Weights(place / "out" / "aoi" / f"{name}.safetensors").metadata
        assert (metadata["lorarecipe.key"], metadata["ss_output_name"]) == (stage.key, name)
        assert metadata.get("lorarecipe.refined_from") == (target.key if name == "aoi" else None)
    leak = json.loads((place / "out/aoi/leak.json").read_text("utf-8"))
    rows = [(row["arm"], row["epoch"]) for row in leak["rows"]]
    assert rows == [("without", None), ("target", None), ("refined", 1), ("refined", None)]
    baked = Weights(place / "out" / "aoi" / "aoi-baked.safetensors").metadata
    assert float(baked["lorarecipe.baked_weight"]) == leak["advice"]["weight"]
    assert {one.key for one in plan.stages if isinstance(one, TrainStage)} <= plan.deliveries[0].keys
    assert not [event for event in _run(recipe) if isinstance(event, Started)]  # a second run makes nothing


def test_what_changes_the_third_phase_alone(place: Path) -> None:
    before = {stage.key for stage in _plan(_recipe(place)).stages}
    for old, new in (("keep = 3", "keep = 4"), ("images = 1", "images = 2"), ("[1, 1.5]", "[1, 2]")):
        after = _plan(_recipe(place, REFINE.replace(old, new))).stages
        kept = [stage.kind for stage in after if stage.key in before]
        assert kept == ["data", "data", "train", "merge", "train", *(["sample"] * (new == "keep = 4")), "sample"]
    tables = "[refine.training]\nsteps = 5\n"
    last = [stage for stage in _plan(_recipe(place, REFINE + tables)).stages if isinstance(stage, TrainStage)][-1]
    assert (last.training.steps, last.training.epochs, last.training.rank) == (5, None, 2)


def test_the_author_picks(place: Path) -> None:
    author = REFINE.replace("keep = 3", 'pick = "author"')
    events = _run(_recipe(place, author))
    assert [event for event in events if isinstance(event, Unpicked)]
    assert (place / "out/aoi/aoi-target.safetensors").is_file()
    assert not (place / "out/aoi/aoi.safetensors").exists()
    names = [str(one["name"]) for one in _candidates(place)]
    assert names == ["00_1_1001.png", "00_1.5_1001.png", "01_1_1001.png", "01_1.5_1001.png"]
    _run(_recipe(place, author + 'picks = ["00_1_1001.png", "01_1.5_1001.png"]\n'))
    assert (place / "out/aoi/aoi.safetensors").is_file()
    assert [one["picked"] for one in _candidates(place)] == [True, False, False, True]
    with pytest.raises(RecipeError, match=r"refine\.picks: found 'mine\.png', expected names of pictures, as '00_1_10"):
        _plan(_recipe(place, author + 'picks = ["mine.png"]\n'))
    with pytest.raises(RecipeError, match=r"'00_0_1001\.png', expected names"):  # drawn without the LoRA
        _plan(_recipe(place, author + 'picks = ["00_0_1001.png"]\n'))


def test_two_rounds(place: Path) -> None:
    plan = _plan(_recipe(place, REFINE + "rounds = 2\n"))
    trainings = [stage for stage in plan.stages if isinstance(stage, TrainStage)]
    assert [stage.role for stage in trainings] == ["base", "target", "refined", "refined"]
    assert plan.deliveries[0].stage == trainings[-1]
    assert "round 2" in plan.title(trainings[-1])


def test_a_rehearsal_has_it(place: Path) -> None:
    small, differences = rehearsal_of([check(scan(load(_recipe(place))))])
    kinds = [stage.kind for stage in compile_plan(small).stages]
    assert (kinds.count("choice"), kinds.count("train"), kinds.count("leak")) == (1, 3, 1)
    _, target, refined = [stage for stage in compile_plan(small).stages if isinstance(stage, TrainStage)]
    assert (refined.training, refined.repeats) == (target.training, (1,))
    assert "refine.repeats: nothing (here 1)" in differences


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (REFINE + 'rounds = 2\npick = "author"\n', "found rounds = 2 with an author's picks, expected 1"),
        (REFINE + "weights = [3]\n".replace("weights", "scale"), "refine.scale"),
        (REFINE + '[refine.training]\noptimizer = "Lion"\n', "refine.training.optimizer: found 'Lion', expected"),
        (REFINE + "[refine.training]\nrank = 0\n", "refine.training.rank"),
        (REFINE + '[refine.training]\nmask = "figure"\n', "refine.training.mask: found 'figure', expected none"),
        (REFINE + '[refine.training]\nscheduler = "constant"\nwarmup_steps = 3\n', "found warmup_steps = 3 with"),
        (REFINE + "training = 3\n", "refine.training"),
        (REFINE + "[[refine.training]]\nrank = 1\n", "refine.training"),
        ("[refine]\nkeep = 0\n", "refine.keep"),
        ('[deliver]\nweight = "best"\n', "deliver.weight"),
    ],
)
def test_what_does_not_fit(place: Path, more: str, message: str) -> None:
    with pytest.raises(RecipeError) as error:
        load(_recipe(place, more))
    assert message in str(error.value)


def test_a_fault_of_the_targets_training_is_told_once(place: Path) -> None:
    path = _recipe(place)
    path.write_text(
        path.read_text("utf-8").replace("epochs = 2\nsave_every", "epochs = 0\nsave_every"), encoding="utf-8"
    )
    with pytest.raises(RecipeError) as error:
        load(path)
    assert str(error.value).count("epochs") == 1


def test_it_needs_a_target(place: Path) -> None:
    path = _recipe(place)
    text = path.read_text("utf-8")
    start, end = text.index("[target]"), text.index("[trainer]")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(RecipeError, match=r"refine: found \[refine\], expected it in the recipe of a target"):
        load(path)


def test_a_mask_of_the_targets_is_not_inherited(place: Path) -> None:
    path = _recipe(place)
    path.write_text(path.read_text("utf-8").replace("epochs = 2\n", 'epochs = 2\nmask = "prior"\n'), encoding="utf-8")
    recipe = load(path)
    assert recipe.target
    assert recipe.refine
    assert (recipe.target.training.mask, recipe.refine.training.mask) == ("prior", None)


def test_a_rehearsal_of_an_authors_picks(place: Path) -> None:
    picks = REFINE.replace("images = 1", "images = 2") + 'picks = ["01_1.5_1002.png"]\n'
    small, _ = rehearsal_of([check(scan(load(_recipe(place, picks))))])
    assert [stage.kind for stage in compile_plan(small).stages].count("picks") == 1


def test_it_needs_two_phases(place: Path) -> None:
    path = _recipe(place)
    text = path.read_text("utf-8").replace('name = "aoi"\n', 'name = "aoi"\nmethod = "plain"\n')
    start, end = text.index("[[base"), text.index("[target]")
    path.write_text(text[:start] + text[end:], encoding="utf-8")
    with pytest.raises(RecipeError, match=r"refine: found \[refine\], expected it with a target and method"):
        load(path)


def test_the_default_prompts_say_nothing_of_a_character() -> None:
    prompts = default_prompts()
    assert len(prompts) == len({*prompts}) == 24
    assert all("hair" not in prompt and "white background" not in prompt for prompt in prompts)
    assert len({tuple(prompt.split(", ")[2:]) for prompt in prompts}) == 20  # each pose in each frame
