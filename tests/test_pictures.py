from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.errors import MachineNotReady, RecipeError, TrainingFailed
from lorarecipe.events import Delivered, Event, Gated, Measured, Sampled, Started
from lorarecipe.measures import MEASURES, Drawn, Yardstick
from lorarecipe.measures.leak import leak_table
from lorarecipe.plan import Plan, TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer
from lorarecipe.trainer.embedded.drawing import Line
from lorarecipe.weights import rewrite_metadata
from tests.renders import demo_renders

RECIPE = f"""\
format = 1
name = "aoi"

[checkpoint]
family = "sd15"
path = "{NANO}"

[base]
weights = "BASE"

[base.gate]
prompts = ["", "red hair"]
against = []
images = 2
steps = 2

[target]
images = "renders/honey"

[target.training]
rank = 2
alpha = 2
unet_lr = 1e-3
epochs = 2
batch_size = 4
resolution = 64
buckets = false
save_every_epochs = 1

[trainer]
engine = "embedded"
device = "cpu"

[control]
enabled = true

[samples]
prompts = ["1girl", "1girl, forest"]
negative = "beach"
weights = [0, 1]
unrelated = ["beach"]
epochs = [1]
steps = 2
"""


#: a finished base, as RECIPE names it
FINISHED_BASE = '[base]\nweights = "BASE"\n'


def trained_base(steps: int) -> str:
    """Write the tables of a base of two characters that is trained, in place of a finished one."""
    return f"""\
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
steps = {steps}
resolution = 64
buckets = false
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A target with samples of two epochs and a control arm, on a base that was trained elsewhere."""
    place = tmp_path_factory.mktemp("pictures")
    demo_renders(place / "renders")
    base = place / "base.toml"
    text = (
        RECIPE.partition("[base]")[0]
        + """
[[base.characters]]
images = "renders/red"
traits = ["red hair", "long hair", "blue dress"]

[base.training]
rank = 2
alpha = 2
unet_lr = 1e-3
steps = 1
resolution = 64
buckets = false

[base.gate]
mode = "off"

[trainer]
engine = "embedded"
device = "cpu"

[rules]
SET005 = { severity = "ignore", reason = "only a file is wanted" }
SET006 = { severity = "ignore", reason = "only a file is wanted" }
"""
    )
    base.write_text(text.replace('"aoi"', '"base"'), encoding="utf-8")
    for _ in _run(base, place):
        pass
    named = RECIPE.replace("BASE", "out/base/base.safetensors")
    (place / "aoi.toml").write_text(named, encoding="utf-8")
    return place


def _plan(recipe: Path) -> Plan:
    return compile_plan([check(scan(load(recipe)))])


def _run(recipe: Path, place: Path) -> list[Event]:
    return list(execute(_plan(recipe), Here(find_trainer("embedded"), Store(place / "store")), place / "out"))


@pytest.fixture(scope="module")
def events(folder: Path) -> list[Event]:
    return _run(folder / "aoi.toml", folder)


def test_what_is_planned(folder: Path) -> None:
    plan = _plan(folder / "aoi.toml")
    titles = [plan.title(stage) for stage in plan.stages if stage.kind != "data"]
    assert titles == [
        "pictures for the gate of base aoi",
        "gate of base aoi",
        "base aoi merged into nano",
        "pictures for the gate of base aoi merged into nano",
        "gate of base aoi merged into nano",
        "target aoi",
        "the control arm of aoi",
        "samples of aoi on the original checkpoint, epoch 1",
        "samples of aoi on the original checkpoint",
        "samples of base aoi on the original checkpoint",
        "samples of the control arm of aoi on the original checkpoint, epoch 1",
        "samples of the control arm of aoi on the original checkpoint",
        "leak test of aoi",
    ]
    [delivery] = plan.deliveries
    names = [[*stage.names] for stage in delivery.sampled]
    assert [one[:2] for one in names[:2]] == [["00_0_1.png", "00_1_1.png"]] * 2
    assert names[2:] == [["00_1_1.png", "01_1_1.png", "02_1_1.png"]] * 3
    assert all(isinstance(s.lora, TrainStage) and s.lora.role == "control" for s in delivery.arms["control"])


def test_every_picture_carries_its_settings(folder: Path, events: list[Event]) -> None:
    drawn = folder / "out" / "aoi" / "samples"
    names = sorted(path.relative_to(drawn).as_posix() for path in drawn.rglob("*.png"))
    assert len(names) == 12 + 1 + 6 + 1 + 3 + 1
    with Image.open(drawn / "000001_01_1_1.png") as picture:
        prompt, negative, settings = picture.info["parameters"].splitlines()
    assert (prompt, negative) == ("1girl, forest <lora:aoi:1>", "Negative prompt: beach")
    told = dict(part.split(": ") for part in settings.split(", "))
    expected = {"Steps": "2", "Sampler": "DDIM", "CFG scale": "7", "Seed": "1", "Size": "64x64", "Model": "nano"}
    assert told.items() >= expected.items()
    with Image.open(drawn / "control" / "01_1_1.png") as picture:
        assert picture.info["parameters"].startswith("1girl, forest <lora:aoi-control:1>\n")
    with Image.open(drawn / "00_0_1.png") as picture:
        assert picture.info["parameters"].startswith("1girl\n")


def test_the_leak_test(folder: Path, events: list[Event]) -> None:
    [measured] = [event for event in events if isinstance(event, Measured)]
    rows = json.loads((folder / "out" / "aoi" / "leak.json").read_text("utf-8"))["rows"]
    arms = [(row["arm"], row["epoch"], row["weight"], row["pictures"]) for row in rows]
    assert arms == [
        ("without", None, 0, 3),
        ("base", None, 1, 3),
        ("control", 1, 1, 3),
        ("control", None, 1, 3),
        ("target", 1, 1, 3),
        ("target", None, 1, 3),
    ]
    assert rows[0]["measured"]["change"] == 0
    assert all(row["measured"]["change"] > 0 for row in rows[1:])
    assert all(row["measured"]["change_unrelated"] > 0 for row in rows[1:])
    assert [asdict(row) for row in measured.rows] == rows
    assert measured.advice.startswith("Use ")
    files = [Path(event.path).name for event in events if isinstance(event, Delivered)]
    assert files[-5:] == ["all.png", "all.png", "all.png", "passport.json", "leak.json"]
    told = [event for event in events if isinstance(event, Sampled)]
    assert told[-1].done == told[-1].of == 3


def test_a_measure_from_outside(folder: Path, events: list[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    """One module and one line in the table: the leak test alone is made anew, with a further column."""

    def brightness(drawn: Drawn, yardstick: Yardstick) -> float | None:
        return None if drawn.unrelated else float(drawn.colours[..., 0].mean())

    about = {"TITLE": "brightness", "MEANING": "mean L*", "FORM": ".0f", "VERSION": 1, "NEEDS": ""}
    monkeypatch.setitem(MEASURES, "bright", SimpleNamespace(KEY="bright", of=brightness, **about))
    worker = Here(find_trainer("embedded"), Store(folder / "store"))
    again = list(execute(_plan(folder / "aoi.toml"), worker, folder / "out-measured"))
    assert [event.kind for event in again if isinstance(event, Started)] == ["leak"]
    [measured] = [event for event in again if isinstance(event, Measured)]
    assert all(0 < (row.measured["bright"] or 0) < 100 for row in measured.rows)
    head, _, first, *_ = leak_table(measured.rows).splitlines()
    assert head.endswith("| elsewhere | brightness |")
    assert first.endswith(f"| {measured.rows[0].measured['bright']:.0f} |")


def test_pictures_that_are_there_are_not_drawn_again(folder: Path, events: list[Event]) -> None:
    plan, store = _plan(folder / "aoi.toml"), Store(folder / "store")
    stage = plan.deliveries[0].arms["target"][-1]
    made = {name: (store.path(stage.short) / name).read_bytes() for name in stage.names}
    attempt = store.attempt(stage.short)
    attempt.mkdir(parents=True)
    (attempt / "00_0_1.png").write_bytes(made["00_0_1.png"])
    (attempt / "00_1_1.png").write_bytes(made["00_1_1.png"][:-20])  # torn
    (attempt / "other.png").touch()
    (store.path(stage.short) / "00_1_1.png").unlink()
    [started] = [event for event in _run(folder / "aoi.toml", folder) if isinstance(event, Started)]
    assert started.why.endswith("; goes on after 1 picture")
    prompts = (store.path(stage.short) / "prompts.txt").read_text("utf-8").splitlines()
    assert prompts == [
        "1girl --n beach --d 1 --am 1 --f 00_1_1.png",
        "1girl, forest --n beach --d 1 --am 0 --f 01_0_1.png",
        "1girl, forest --n beach --d 1 --am 1 --f 01_1_1.png",
        "beach --n beach --d 1 --am 0 --f 02_0_1.png",
        "beach --n beach --d 1 --am 1 --f 02_1_1.png",
    ]
    assert {name: (store.path(stage.short) / name).read_bytes() for name in stage.names} == made


def test_a_line_of_prompts() -> None:
    line = Line.read("a -- b, c --n d --d 7 --am 0.5 --f e.png")
    assert line == Line("a -- b, c", "d", 7, 0.5, "e.png")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"1girl"', '"1girl --d 3"', "found '--' in '1girl --d 3', expected a prompt without it"),
        ('"1girl"', '"{a|b}"', "expected a prompt without it"),
        ("epochs = [1]", "epochs = [2]", "found 2, expected epochs before the last, which is 2"),
        ("save_every_epochs = 1\n", "", "expected saved epochs: none, as save_every_epochs is not set"),
        ("save_every_epochs = 1", "save_every_epochs = 2", "found 1, expected saved epochs: multiples of 2"),
        ("weights = [0, 1]", "weights = [3]", "less than or equal to 2"),
        ("[samples]", "[rules]\n#", "found a control arm, expected"),
    ],
)
def test_what_cannot_be_drawn(folder: Path, tmp_path: Path, old: str, new: str, told: str) -> None:
    text = (folder / "aoi.toml").read_text("utf-8").replace('"renders', f'"{folder}/renders')
    text = text.replace('"out/', f'"{folder}/out/').replace(old, new)
    if "[rules]" in text:
        text = text.partition("[rules]")[0]
    (tmp_path / "aoi.toml").write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        _plan(tmp_path / "aoi.toml")
    assert told in str(caught.value)


def test_no_target_is_trained_on_a_base_that_fails(folder: Path, events: list[Event]) -> None:
    told = {event.of: event.verdict for event in events if isinstance(event, Gated)}
    assert told == {"base": "fail", "merged": "fail"}  # it was trained for one step, and the run only reports that
    recipe = folder / "strict.toml"
    text = (folder / "aoi.toml").read_text("utf-8").replace("[base.gate]\n", '[base.gate]\nmode = "stop"\n')
    recipe.write_text(text.replace('"aoi"', '"strict"').replace("rank = 2", "rank = 3"), encoding="utf-8")
    seen: list[Event] = []
    with pytest.raises(TrainingFailed, match=r"base strict: it fails its gate, and .* no target was trained"):
        seen.extend(execute(_plan(recipe), Here(find_trainer("embedded"), Store(folder / "store")), folder / "out"))
    assert seen
    assert not [event for event in seen if isinstance(event, Started) and event.kind == "train"]
    stopped = folder / "out" / "strict"
    gates = json.loads((stopped / "passport.json").read_text("utf-8"))["gate"]
    assert [gate["verdict"] for gate in gates] == ["fail", "fail"]
    assert all((stopped / picture["path"]).is_file() for gate in gates for picture in gate["pictures"])


def test_a_leak_test_that_fails_keeps_nobody_from_the_lora(folder: Path, events: list[Event]) -> None:
    assert events
    (folder / "wd").mkdir()
    for name in ("model.onnx", "selected_tags.csv"):
        (folder / "wd" / name).write_text("no model", encoding="utf-8")
    recipe = folder / "tagged.toml"
    text = (folder / "aoi.toml").read_text("utf-8").replace('"aoi"', '"tagged"')
    recipe.write_text(text.replace("[samples]\n", '[samples]\ntagger = "wd"\n'), encoding="utf-8")
    seen: list[Event] = []
    with pytest.raises(MachineNotReady, match="no tagger of booru tags"):
        seen.extend(execute(_plan(recipe), Here(find_trainer("embedded"), Store(folder / "store")), folder / "out"))
    names = [Path(event.path).name for event in seen if isinstance(event, Delivered)]
    assert "tagged.safetensors" in names
    assert "leak.json" not in names


def test_a_base_of_another_checkpoint_is_refused_unless_it_is_let_pass(folder: Path, tmp_path: Path) -> None:
    """As another one is told by the base's own metadata."""
    base = tmp_path / "base.safetensors"
    rewrite_metadata(folder / "out" / "base" / "base.safetensors", base, {"lorarecipe.checkpoint": "0" * 64})
    recipe = folder / "foreign.toml"
    text = (folder / "aoi.toml").read_text("utf-8").replace("out/base/base.safetensors", str(base))
    recipe.write_text(text, encoding="utf-8")
    assert [finding.code for finding in check(scan(load(recipe))).errors] == ["TRN005"]
    recipe.write_text(text + '[rules]\nTRN005 = { severity = "warning", reason = "a merge of it" }\n', encoding="utf-8")
    assert check(scan(load(recipe))).errors == ()
