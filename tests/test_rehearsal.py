from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.files import home
from lorarecipe.plan import MergeStage, TrainStage, compile_plan, rehearsal_of
from lorarecipe.recipe import load
from lorarecipe.rules import Checked, check
from lorarecipe.weights import Weights
from tests.test_rules import _Q, _base, _lora

ROOT = Path(__file__).parent.parent
Edit = Callable[[str, str], Path]

#: as an author would have it, for a GPU
LARGE = """\
rank = 64
alpha = 32
unet_lr = 1.0
text_encoder_lr = 1.0
epochs = 10
resolution = 512
precision = "fp16"
optimizer = "Prodigy"
save_every_epochs = 2
gradient_checkpointing = true
extra = { min_snr_gamma = 5, noise_offset = 0.05, optimizer_args = ["decouple=True"] }
"""


def _checked(path: Path) -> Checked:
    return check(scan(load(path)))


@pytest.fixture
def large(folder: Path) -> Path:
    """The recipe of ``folder`` with settings for a GPU."""
    path = folder / "recipe.toml"
    head = path.read_text("utf-8").split("[base.training]\n")[0]
    path.write_text(
        head.replace('"checkpoint.safetensors"', '"checkpoint.safetensors"\nclip_skip = 3')
        + f'[base.training]\n{LARGE}\n[target]\nimages = "aoi"\nrepeats = 5\n\n[target.training]\n{LARGE}\n'
        + '[merge]\nmode = "load"\nstrength = 0.9\n',
        encoding="utf-8",
    )
    return path


def test_every_image_comes_into_the_same_bucket_an_eighth_as_large(large: Path) -> None:
    checked = _checked(large)
    [small], _ = rehearsal_of([checked])
    real, tried = (
        [stage.steps.buckets for stage in compile_plan([one]).stages if isinstance(stage, TrainStage)]
        for one in (checked, small)
    )
    assert len(real) == len(tried) == 2
    for before, after in zip(real, tried):
        assert [(bucket.width, bucket.height) for bucket in before] == [
            (bucket.width * 8, bucket.height * 8) for bucket in after
        ]
    assert {bucket.width for bucket in tried[0]} != {64}


def test_what_differs_is_told(large: Path, snapshot: SnapshotAssertion) -> None:
    _, differences = rehearsal_of([_checked(large)])
    assert "\n".join(differences).replace(str(large.parent), "MINE").replace(str(NANO), "NANO") == snapshot


def test_what_can_be_kept_is_kept(large: Path) -> None:
    [small], _ = rehearsal_of([_checked(large)])
    plan = compile_plan([small])
    [merge] = [stage for stage in plan.stages if isinstance(stage, MergeStage)]
    base, target = [stage.training for stage in plan.stages if isinstance(stage, TrainStage)]
    assert merge.strength == 0.9
    assert base.extra == {"min_snr_gamma": 5}
    assert (target.rank, target.alpha, target.text_encoder_lr, target.save_every_epochs) == (64, 32, 1e-4, 1)
    assert (plan.engine, merge.model.clip_skip) == ("embedded", 2)
    assert [group.repeats for group in small.dataset.target] == [1]


def test_a_finished_base_has_a_stand_in(folder: Path) -> None:
    _base(_lora(_Q))(folder)
    [small], differences = rehearsal_of([_checked(folder / "recipe.toml")])
    assert [stage.kind for stage in compile_plan([small]).stages] == ["data", "train", "merge", "train"]
    assert any(told.startswith("base.weights: base.safetensors (here a stand-in") for told in differences)


def test_a_rehearsal(large: Path, snapshot: SnapshotAssertion) -> None:
    """Every stage for real; nothing beside ``out/rehearsal``."""
    before = {path: path.stat().st_mtime_ns for path in large.parent.rglob("*")}
    words = [sys.executable, "-m", "lorarecipe", "run", str(large), "--rehearse"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    elsewhere = large.parent.parent / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(words, cwd=elsewhere, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in large.parent.rglob("*")} == before
    assert done.stdout.splitlines() == [
        "out/rehearsal/aoi/aoi-000001.safetensors",
        "out/rehearsal/aoi/aoi.safetensors",
        "out/rehearsal/aoi/aoi.json",
        "out/rehearsal/aoi/report.html",
    ]
    told = done.stderr[done.stderr.index("rehearsed, in miniature") :].replace(str(large.parent), "MINE")
    assert re.sub(r"changed [\d.]+", "changed SHARE", told.replace(str(NANO), "NANO")) == snapshot
    record = json.loads((elsewhere / "out" / "rehearsal" / "aoi" / "run.json").read_text("utf-8"))
    assert [stage["kind"] for stage in record["stages"]] == ["data", "data", "train", "merge", "train"]


def test_it_calls_itself_one_and_advises_nothing(large: Path) -> None:
    """On the page, beside the result, in the ledger's commands and in the LoRA; whatever was measured."""
    samples = '[samples]\nprompts = ["1girl"]\nweights = [0, 1]\n\n[deliver]\nweight = "advised"\n'
    large.write_text(f"{large.read_text('utf-8')}\n{samples}", encoding="utf-8")

    def lorarecipe(*words: str) -> str:
        command = [sys.executable, "-m", "lorarecipe", *words]
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, cwd=large.parent, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    events = [json.loads(line) for line in lorarecipe("run", "recipe.toml", "--rehearse", "--json").splitlines()]
    assert events[0].items() >= {"event": "run", "schema_version": 1, "rehearsal": True}.items()
    assert events[-1].items() >= {"event": "end", "run": events[0]["run"], "state": "finished"}.items()
    result = large.parent / "out" / "rehearsal" / "aoi"
    [in_store] = (home() / "store").glob("leak-*/leak.json")
    assert json.loads(in_store.read_text("utf-8"))["advice"]["reason"]  # which a real run would give
    leak = json.loads((result / "leak.json").read_text("utf-8"))
    assert (leak["advice"], leak["points"]) == (None, [])
    assert len(leak["rows"]) > 1
    assert [event["advice"] for event in events if event["event"] == "measured"] == [""]
    assert json.loads((result / "run.json").read_text("utf-8"))["rehearsal"] is True
    assert "  rehearsal  " in lorarecipe("runs")
    assert "This run is a rehearsal" in lorarecipe("show", "last")
    assert Weights(result / "aoi.safetensors").metadata["lorarecipe.rehearsal"] == "yes"
    assert Weights(result / "aoi-baked.safetensors").metadata["lorarecipe.baked_weight"] == "1.0"
    for _ in range(2):  # as the run drew it, and drawn again beside measurements that advise
        page = (result / "report.html").read_text("utf-8")
        assert "<title>aoi - rehearsal - lorarecipe</title>" in page
        assert '<p class="rehearsal" role="note"><strong>Rehearsal.</strong> aoi (run ' in page
        assert 'class="advice"' not in page
        assert 'class="ring"' not in page
        assert "recommended" not in page
        shutil.copy(in_store, result / "leak.json")
        lorarecipe("report", "last")


def test_what_is_left_out_of_a_rehearsal_is_told(large: Path) -> None:
    text = (
        large.read_text("utf-8")
        + '[control]\nenabled = true\n[samples]\nprompts = ["1girl"]\nweights = [0, 1]\n[deliver]\nweight = "advised"\n'
    )
    large.write_text(text, encoding="utf-8")
    _, differences = rehearsal_of([_checked(large)])
    assert {"control.enabled: True (here False)", "deliver.weight: advised (here 1.0)"} <= {*differences}
