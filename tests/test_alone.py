from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.errors import RecipeError
from lorarecipe.events import Delivered, Event, Unpicked
from lorarecipe.plan import Plan, TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer
from tests.renders import demo_renders

RECIPE = f"""\
format = 1
name = "aoi"
method = "plain"

[checkpoint]
family = "sd15"
path = "{NANO}"

[target]
images = "renders/honey"

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
"""
DISTILL = """
[distill]
prompts = ["1girl, forest", "1girl, beach"]
images = 2
steps = 2
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    demo_renders(tmp_path / "renders")
    (tmp_path / "aoi.toml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def _distill(place: Path, more: str = "") -> Path:
    path = place / "aoi.toml"
    path.write_text(RECIPE.replace('"plain"', '"distill"') + DISTILL + more, encoding="utf-8")
    return path


def _plan(recipe: Path) -> Plan:
    checked = check(scan(load(recipe)))
    assert checked.errors == ()
    return compile_plan([checked])


def _run(recipe: Path) -> list[Event]:
    place = recipe.parent
    return list(execute(_plan(recipe), Here(find_trainer("embedded"), Store(place / "store")), place / "out"))


def test_the_plain_way(place: Path) -> None:
    (place / "renders" / "honey" / "full-body_front.txt").write_text("aoi, 1girl, twintails\n")  # captions are its own
    plan = _plan(place / "aoi.toml")
    assert [stage.kind for stage in plan.stages] == ["data", "train", "sample", "leak"]
    [lora] = [stage for stage in plan.stages if isinstance(stage, TrainStage)]
    assert (lora.role, lora.merged, lora.loaded) == ("plain", None, None)
    files = [Path(event.path).name for event in _run(place / "aoi.toml") if isinstance(event, Delivered)]
    assert files == ["aoi.safetensors", "aoi.json", "aoi.preview.png", "all.png", "leak.json"]


def test_the_distilled_way(place: Path) -> None:
    events = _run(_distill(place))
    [unpicked] = [event for event in events if isinstance(event, Unpicked)]
    assert unpicked.page == str(place / "out" / "aoi" / "report.html")
    told = json.loads((place / "out" / "aoi" / "candidates.json").read_text("utf-8"))["pictures"]
    assert [one["name"] for one in told] == ["00_0.5_1.png", "00_0.5_2.png", "01_0.5_1.png", "01_0.5_2.png"]
    assert not any(one["picked"] for one in told)
    assert all((place / "out" / "aoi" / one["path"]).is_file() for one in told)
    assert not (place / "out" / "aoi" / "aoi.safetensors").exists()
    _run(_distill(place, 'picks = ["01_0.5_2.png", "00_0.5_1.png"]\n'))
    assert (place / "out" / "aoi" / "aoi.safetensors").is_file()
    told = json.loads((place / "out" / "aoi" / "candidates.json").read_text("utf-8"))["pictures"]
    assert [one["picked"] for one in told] == [True, False, False, True]
    plan = _plan(place / "aoi.toml")
    kinds = [stage.kind for stage in plan.stages]
    assert kinds == ["data", "train", "sample", "picks", "train", "sample", "leak"]
    picks = Store(place / "store").path(plan.stages[3].short) / "00"
    assert sorted(path.name for path in picks.iterdir()) == ["00000.png", "00000.txt", "00001.png", "00001.txt"]
    assert (picks / "00001.txt").read_text("utf-8") == "1girl, beach\n"
    with Image.open(picks / "00001.png") as staged, Image.open(place / "out/aoi/pick/01_0.5_2.png") as drawn:
        assert staged.tobytes() == drawn.tobytes()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[target]\n", '[base]\nweights = "x.safetensors"\n\n[target]\n', "found a base, expected none"),
        ('method = "plain"\n', "", "base: the key is missing; write it here"),
        ("[samples]", "[control]\nenabled = true\n\n[samples]", "found a control arm, expected one with"),
        ('"plain"', '"distill"', "distill: missing; expected it with"),
        ("[samples]", DISTILL + "[samples]", 'found [distill], expected it with method = "distill"'),
        ('method = "plain"', 'method = "fast"', "expected 'two-phase', 'plain' or 'distill'"),
    ],
)
def test_what_does_not_fit(place: Path, old: str, new: str, message: str) -> None:
    path = place / "aoi.toml"
    path.write_text(RECIPE.replace(old, new), encoding="utf-8")
    with pytest.raises(RecipeError) as error:
        load(path)
    assert message in str(error.value)


def test_a_pick_that_is_no_picture(place: Path) -> None:
    with pytest.raises(
        RecipeError, match=r"distill\.picks: found 'mine\.png', expected names of pictures, as '00_0\.5_1"
    ):
        _plan(_distill(place, 'picks = ["mine.png"]\n'))
