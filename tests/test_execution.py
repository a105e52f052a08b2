"""Whole runs on a fake trainer: real processes, real files, no training."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from lorarecipe.dataset import scan
from lorarecipe.errors import CheckFailed, MachineNotReady, RecipeError, TrainingFailed
from lorarecipe.events import Delivered, Event, Failed, Finished, Progress, Reused, Skipped, Started, Waiting
from lorarecipe.files import home
from lorarecipe.plan import Plan, compile_plan
from lorarecipe.recipe import load
from lorarecipe.records import Made
from lorarecipe.rules import check
from lorarecipe.run import Arguments, Here, ResultsFailed, all_runs, begin_run, execute, noted, write_results
from lorarecipe.run.reuse import reason
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.weights import Weights
from tests.test_rules import _Q, _base, _lora

Edit = Callable[[str, str], Path]


def _plan(path: Path) -> Plan:
    return compile_plan([check(scan(load(path)))])


def _run(path: Path, place: Installation, store: Store) -> list[Event]:
    return list(execute(_plan(path), Here(place, store), path.parent / "out"))


def _recorded(plan: Plan, place: Installation, store: Store, out: Path) -> list[Path]:
    """Run a plan with a ledger, and give the records that lie beside its results."""
    run = begin_run(home() / "runs", plan, Arguments(recipes=[], out=str(out)))
    with suppress(ResultsFailed):
        list(noted(execute(plan, Here(place, store), out), run))
    return list(write_results(run.record, plan, out))


def _kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events if not isinstance(event, Progress)]


def test_a_run_and_the_run_after_it(folder: Path, fake_trainer: Installation, store: Store) -> None:
    first = _run(folder / "recipe.toml", fake_trainer, store)
    assert _kinds(first) == ["Started", "Finished"] * 5 + ["Delivered"] * 3
    assert [event.loss for event in first if isinstance(event, Progress)][-1] == 0.7
    second = _run(folder / "recipe.toml", fake_trainer, store)
    assert _kinds(second) == ["Reused"] * 5 + ["Delivered"] * 3
    assert [e for e in first if isinstance(e, Delivered)] == [e for e in second if isinstance(e, Delivered)]


def test_the_result_carries_what_it_was_made_from(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan = _plan(folder / "recipe.toml")
    _run(folder / "recipe.toml", fake_trainer, store)
    out = folder / "out" / "aoi"
    names = ["aoi-000001.safetensors", "aoi.json", "aoi.safetensors"]
    assert sorted(path.name for path in out.iterdir()) == names
    metadata = Weights(out / "aoi.safetensors").metadata
    assert metadata["ss_output_name"] == "aoi"
    assert metadata["ss_base_model_version"] == "sd_v1"
    assert metadata["lorarecipe.key"] == plan.stages[-1].key
    assert metadata["lorarecipe.base"] == plan.stages[2].key
    assert metadata["lorarecipe.merge_mode"] == "checkpoint"
    assert metadata["ss_steps"] == str(plan.deliveries[0].stage.steps.total)


def test_what_was_delivered_is_mended_and_what_is_stale_goes(
    folder: Path, edit: Edit, fake_trainer: Installation, store: Store
) -> None:
    _run(folder / "recipe.toml", fake_trainer, store)
    place = folder / "out" / "aoi" / "aoi.safetensors"
    before = {name: Weights(place).read(name).tobytes() for name in Weights(place).names}
    content = bytearray(place.read_bytes())
    content[-1] ^= 64
    place.write_bytes(content)
    _run(folder / "recipe.toml", fake_trainer, store)
    assert {name: Weights(place).read(name).tobytes() for name in Weights(place).names} == before
    plan = _plan(folder / "recipe.toml")
    list(_recorded(plan, fake_trainer, store, folder / "out"))
    copy = place.with_name("aoi-2.safetensors")  # the author's own, of one of our names
    shutil.copy(place, copy)
    edit("save_every_epochs = 1\n", "")
    _run(folder / "recipe.toml", fake_trainer, store)
    left = sorted(path.name for path in (folder / "out" / "aoi").iterdir())
    assert left == ["aoi-2.safetensors", "aoi.json", "aoi.safetensors", "run.json"]


@pytest.mark.parametrize(
    "names", ['["../../red/full_front.png"]', '["/etc/passwd"]', "3", '[{"a": 1}]', '["samples/a.png"]']
)
def test_a_record_that_was_edited_removes_nothing(
    folder: Path, fake_trainer: Installation, store: Store, names: str
) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    record = folder / "out" / "aoi" / "run.json"
    record.parent.mkdir(parents=True)
    record.write_text(f'{{"lorarecipe": "1", "names": {names}}}')
    _run(folder / "recipe.toml", fake_trainer, store)
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before


def test_the_record_keeps_how_each_stage_was_made(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan = _plan(folder / "recipe.toml")
    for outcome in ("made", "reused"):
        (path,) = _recorded(plan, fake_trainer, store, folder / "out")
        document = json.loads(path.read_text("utf-8"))
        assert [stage["outcome"] for stage in document["stages"]] == [outcome] * 5
        assert document["stages"][-1]["proof"] == {"modules": 4, "rank": 2}
        assert "--network_dim=2" in document["stages"][-1]["command"]


def test_a_changed_target_keeps_the_base(folder: Path, edit: Edit, fake_trainer: Installation, store: Store) -> None:
    _run(folder / "recipe.toml", fake_trainer, store)
    plan = _plan(edit("alpha = 2", "alpha = 1"))
    why = [reason(stage, plan, store) for stage in plan.stages]
    assert why[:4] == [None] * 4
    assert why[4] is not None
    assert why[4].endswith("in training.alpha")
    assert _kinds(_run(folder / "recipe.toml", fake_trainer, store))[:6] == ["Reused"] * 4 + ["Started", "Finished"]


def test_reasons_before_the_first_run(folder: Path, store: Store) -> None:
    plan = _plan(folder / "recipe.toml")
    assert [reason(stage, plan, store) for stage in plan.stages] == [
        "not made before",
        "not made before",
        "images of the base aoi runs",
        "base aoi runs",
        "images of aoi runs",
    ]


@pytest.mark.parametrize(
    ("mode", "stage", "message"),
    [
        ("fail", "base aoi", "CUDA out of memory.*\nHint: the GPU's memory is full"),
        ("nothing", "base aoi", "not a whole safetensors file"),
        ("nan", "base aoi", "holds a number that is not finite"),
    ],
)  # fmt: skip
def test_a_failure_is_told_and_finished_work_is_kept(
    folder: Path,
    fake_trainer: Installation,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    mode: str,
    stage: str,
    message: str,
) -> None:
    monkeypatch.setenv("FAKE_TRAINER", mode)
    seen: list[Event] = []
    with pytest.raises(TrainingFailed, match=f"(?s){message}"):
        seen.extend(
            event for event in execute(_plan(folder / "recipe.toml"), Here(fake_trainer, store), folder / "out")
        )
    plan = _plan(folder / "recipe.toml")
    kept = [plan.title(one) for one in plan.stages if store.find(one.short)]
    assert stage not in kept
    assert "images of aoi" in kept
    assert not (folder / "out").exists()
    monkeypatch.delenv("FAKE_TRAINER")
    assert _kinds(_run(folder / "recipe.toml", fake_trainer, store))[-1] == "Delivered"


def test_a_failure_is_an_event_too(
    folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TRAINER", "fail")
    seen = []
    with pytest.raises(TrainingFailed):
        for event in execute(_plan(folder / "recipe.toml"), Here(fake_trainer, store), folder / "out"):
            seen.append(event)  # noqa: PERF402 - the list must hold what came before the end
    assert isinstance(seen[-1], Failed)
    assert isinstance(seen[-1].log, str)
    assert Path(seen[-1].log).is_file()


def test_a_finished_base_is_used_as_it_is(folder: Path, fake_trainer: Installation, store: Store) -> None:
    _run(folder / "recipe.toml", fake_trainer, store)
    base = store.path(_plan(folder / "recipe.toml").stages[2].short) / "lora.safetensors"
    _base(_lora(_Q))(folder)
    (folder / "base.safetensors").write_bytes(base.read_bytes())
    finished = [event for event in _run(folder / "recipe.toml", fake_trainer, store) if isinstance(event, Finished)]
    assert [event.kind for event in finished] == ["merge", "train"]


def test_a_base_that_adds_nothing_is_a_failure(folder: Path, fake_trainer: Installation, store: Store) -> None:
    _base(_lora(_Q))(folder)  # all zeros
    with pytest.raises(TrainingFailed, match="the merge changed nothing"):
        _run(folder / "recipe.toml", fake_trainer, store)


def test_nothing_starts_without_a_trainer(folder: Path, fake_trainer: Installation, store: Store) -> None:
    place = Installation(folder, fake_trainer.python, fake_trainer.tokenizers, False, folder)
    with pytest.raises(MachineNotReady, match="no sd-scripts there"):
        _run(folder / "recipe.toml", place, store)
    assert not store.root.exists()


def test_a_broken_image_stops_a_run_before_any_training(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan = _plan(folder / "recipe.toml")
    path = folder / "aoi" / "full_front.png"
    path.write_bytes(path.read_bytes() + b"edited")
    seen = []
    with pytest.raises(CheckFailed, match="changed while it was being read"):
        for event in execute(plan, Here(fake_trainer, store), folder / "out"):
            seen.append(event)  # noqa: PERF402
    assert all(event.kind == "data" for event in seen if isinstance(event, Started))


def _second(folder: Path) -> Path:
    """Add a recipe of another target on the same base."""
    shutil.copytree(folder / "aoi", folder / "rin")
    text = (folder / "recipe.toml").read_text("utf-8").replace('name = "aoi"', 'name = "rin"')
    (folder / "rin.toml").write_text(text.replace('images = "aoi"', 'images = "rin"'), encoding="utf-8")
    for path in (folder / "rin").glob("*.png"):
        with Image.open(path) as picture:
            picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(path)
    return folder / "rin.toml"


def test_a_result_that_fails_does_not_stop_the_others(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan = compile_plan([check(scan(load(path))) for path in (folder / "recipe.toml", _second(folder))])
    path = folder / "rin" / "full_front.png"
    path.write_bytes(path.read_bytes() + b"edited")
    seen: list[Event] = []
    with pytest.raises(ResultsFailed) as caught:
        seen.extend(execute(plan, Here(fake_trainer, store), folder / "out"))
    assert caught.value.exit_code == 5
    assert str(caught.value).splitlines() == [
        "aoi: made",
        f"rin: not made: {path}: changed while it was being read; run the same command again",
    ]
    assert [event.title for event in seen if isinstance(event, Skipped)] == ["target rin"]
    assert {event.name for event in seen if isinstance(event, Delivered)} == {"aoi"}
    assert not (folder / "out" / "rin").exists()


def test_each_failure_is_said_where_all_results_fail(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan = compile_plan([check(scan(load(path))) for path in (folder / "recipe.toml", _second(folder))])
    for name in ("aoi", "rin"):
        path = folder / name / "full_front.png"
        path.write_bytes(path.read_bytes() + b"edited")
    with pytest.raises(ResultsFailed) as caught:
        list(execute(plan, Here(fake_trainer, store), folder / "out"))
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["aoi", "rin"]


def test_what_a_failure_leaves_is_in_the_record(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan = compile_plan([check(scan(load(path))) for path in (folder / "recipe.toml", _second(folder))])
    path = folder / "rin" / "full_front.png"
    path.write_bytes(path.read_bytes() + b"edited")
    assert [written.parent.name for written in _recorded(plan, fake_trainer, store, folder / "out")] == ["aoi"]
    [run] = all_runs(home() / "runs")
    outcomes = {stage.title: stage.outcome for stage in run.record.stages}
    assert (outcomes["images of rin"], outcomes["target rin"], outcomes["target aoi"]) == ("failed", "not made", "made")


@pytest.mark.parametrize("name", ["aoi.safetensors", "aoi-000001.safetensors", "run.json"])
def test_a_file_of_the_authors_is_not_overwritten(
    folder: Path, fake_trainer: Installation, store: Store, name: str
) -> None:
    mine = folder / "out" / "aoi" / name
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    with pytest.raises(RecipeError, match="is not lorarecipe's; move it away"):
        _run(folder / "recipe.toml", fake_trainer, store)
    assert mine.read_bytes() == b"mine"
    assert not store.root.exists()


def test_nothing_starts_without_room_on_the_disk(
    folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=1e8))
    with pytest.raises(MachineNotReady, match=r"100\.0 MB free, expected 500\.1 MB; make room"):
        _run(folder / "recipe.toml", fake_trainer, store)


def test_a_second_run_waits_for_the_first_and_uses_its_result(
    folder: Path, fake_trainer: Installation, store: Store
) -> None:
    plan = _plan(folder / "recipe.toml")
    data = plan.stages[0]
    holder = subprocess.Popen(
        [sys.executable, "-c", f"""
import sys, time
from pathlib import Path
from lorarecipe.store import Store
store = Store(Path({str(store.root)!r}))
with store.lock({data.short!r}, wait=True):
    print("held", flush=True)
    sys.stdin.readline()
    folder = store.begin({data.short!r}, {{}})
    (folder / "made.json").write_text('{{"seconds": 1}}')
    store.keep({data.short!r})
"""],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert holder.stdout
    assert holder.stdin
    assert holder.stdout.readline() == "held\n"
    events = execute(plan, Here(fake_trainer, store), folder / "out")
    assert isinstance(next(events), Waiting)
    holder.stdin.write("go\n")
    holder.stdin.close()
    assert next(events) == Reused(data.key, plan.title(data), "data", Made(seconds=1))
    events.close()
    holder.wait()
    holder.stdout.close()


def test_results_that_cannot_be_written_are_found_before_a_training(
    folder: Path, fake_trainer: Installation, store: Store
) -> None:
    (folder / "out").mkdir()
    (folder / "out" / "aoi").write_text("a file of the author's")
    with pytest.raises(MachineNotReady, match=r"out/aoi: cannot be written \(.*\); name another folder: --out"):
        _run(folder / "recipe.toml", fake_trainer, store)
    assert not store.root.exists()


@pytest.mark.parametrize("name", ["aoi.safetensors", "run.json", "report.html"])
def test_a_pipe_of_a_results_name_is_refused(folder: Path, fake_trainer: Installation, store: Store, name: str) -> None:
    (folder / "out" / "aoi").mkdir(parents=True)
    os.mkfifo(folder / "out" / "aoi" / name)
    with pytest.raises(RecipeError, match="is not lorarecipe's; move it away"):
        _run(folder / "recipe.toml", fake_trainer, store)
    assert not store.root.exists()
