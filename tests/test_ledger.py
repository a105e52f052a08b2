from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.errors import Interrupted, TrainingFailed
from lorarecipe.events import Event, Progress
from lorarecipe.files import home
from lorarecipe.plan import Plan, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Arguments, Here, Run, all_runs, begin_run, changes_since, execute, find_run, flat, noted
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from tests.renders import shoot
from tests.test_cli import _call

Edit = Callable[[str, str], Path]
ASKED = Arguments(recipes=["recipe.toml"], out="out")


def _plan(folder: Path) -> Plan:
    return compile_plan([check(scan(load(folder / "recipe.toml")))])


def _begun(folder: Path) -> tuple[Plan, Run]:
    plan = _plan(folder)
    return plan, begin_run(home() / "runs", plan, ASKED)


def _ran(folder: Path, trainer: Installation, store: Store) -> list[Event]:
    plan, run = _begun(folder)
    return list(noted(execute(plan, Here(trainer, store), folder / "out"), run))


def test_a_run_is_written_down_as_it_goes_on(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan, run = _begun(folder)
    states = []
    for event in noted(execute(plan, Here(fake_trainer, store), folder / "out"), run):
        lines = (run.folder / "events.jsonl").read_text("utf-8").splitlines()
        assert json.loads(lines[-1]) == json.loads(json.dumps(event.as_json()))
        if not isinstance(event, Progress):
            told = json.loads((run.folder / "ledger.json").read_text("utf-8"))
            states.append((told["state"], len(told["stages"])))
    assert states[0] == ("running", 1)
    [kept] = all_runs(home() / "runs")
    assert (kept.state, len(kept.record.stages), list(kept.record.files)) == ("finished", 5, ["aoi"])
    assert kept.record.recipes[0].text == (folder / "recipe.toml").read_text("utf-8")
    assert [stage.name for stage in kept.record.plan] == [stage.short for stage in plan.stages]


def test_a_failure_keeps_its_log(
    folder: Path, fake_trainer: Installation, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_TRAINER", "fail")
    with pytest.raises(TrainingFailed):
        _ran(folder, fake_trainer, store)
    [run] = all_runs(home() / "runs")
    assert run.state == "failed"
    assert "CUDA out of memory" in run.record.message
    assert run.record.stages[-1].outcome == "failed"
    [log] = run.folder.glob("train-*.log")
    assert "CUDA out of memory" in log.read_text("utf-8")


def test_how_a_run_ended(folder: Path, fake_trainer: Installation, store: Store) -> None:
    plan, run = _begun(folder)
    assert run.state == "running"
    lease = json.loads((run.folder / "lease").read_text("utf-8"))
    (run.folder / "lease").write_text(json.dumps(lease | {"started": lease["started"] - 60}))  # another had our number
    assert run.state == "killed"
    events = noted(execute(plan, Here(fake_trainer, store), folder / "out"), run)
    next(events)
    with pytest.raises(Interrupted):
        events.throw(Interrupted(2))
    assert all_runs(home() / "runs")[0].state == "interrupted"


def test_runs_are_found_by_a_part_of_their_name(folder: Path) -> None:
    names = [_begun(folder)[1].name for _ in range(3)]
    root = home() / "runs"
    assert find_run(root, names[1]).name == names[1]
    assert find_run(root, names[1][-4:]).name == names[1]
    assert find_run(root, "last").name == max(names)
    for name in ("20", "nothing"):
        with pytest.raises(LookupError, match="run: lorarecipe runs"):
            find_run(root, name)
    (root / names[0] / "ledger.json").write_text("{")
    assert len(all_runs(root)) == 2


def test_what_changed_since_is_named(folder: Path, edit: Edit) -> None:
    plan, run = _begun(folder)
    run = find_run(home() / "runs", run.name)  # as it is read back
    assert list(changes_since(run, plan)) == []
    edit("alpha = 2", "alpha = 1")
    assert list(changes_since(run, _plan(folder))) == ["target aoi: training.alpha was 2.0, is 1.0"]
    edit("alpha = 1\n", "alpha = 2\n")
    shoot("red hair", "twintails", "full_front", (96, 160)).save(folder / "aoi" / "full_front.png")
    shutil.copy(folder / "aoi" / "upper_front.png", folder / "aoi" / "more.png")
    (folder / "aoi" / "more.txt").write_text("white background, upper body")
    (folder / "red" / "full_back.txt").write_text("red hair, from behind, short hair, full body")
    told = [re.sub(r": \S*/", ": ", line) for line in changes_since(run, _plan(folder))]
    [captioned, replaced, added] = [re.sub(r"image \w{12}", "image *", line) for line in told]
    assert captioned == (
        'images of the base aoi: full_back.png was image *, caption "red hair, short hair, from behind, full body", '
        'is image *, caption "red hair, from behind, short hair, full body"'
    )
    assert replaced.startswith('images of aoi: full_front.png was image *, caption "')
    assert added == 'images of aoi: more.png was nothing, is image *, caption "white background, upper body"'


def test_another_title_is_no_change(folder: Path) -> None:
    plan, run = _begun(folder)
    for stage in run.record.plan:
        stage.title = f"{stage.title} of before"
    assert list(changes_since(run, plan)) == []


def test_a_name_need_not_be_text(folder: Path) -> None:
    for end in ("png", "txt"):
        path = folder / "aoi" / f"full_front.{end}"
        path.rename(path.with_stem("\udcff"))
    _, run = _begun(folder)
    assert any("\udcff.png" in path for path in find_run(home() / "runs", run.name).record.plan[1].paths[0])
    (folder / "aoi" / "upper_front.txt").write_text("solo")
    code, out, _ = _call(folder, "check", "recipe.toml", "--format", "sarif")
    assert (code, json.loads(out)["version"]) == (3, "2.1.0")


def test_a_record_is_named_leaf_by_leaf() -> None:
    assert flat({"a": {"b": [1, {"c": None}]}, "d": "x"}) == {"a.b[0]": "1", "a.b[1].c": "null", "d": '"x"'}


def test_the_commands(folder: Path, edit: Edit, fake_trainer: Installation, store: Store) -> None:
    _ran(folder, fake_trainer, store)
    code, out, _ = _call(folder, "runs")
    assert code == 0
    assert out.splitlines() == [f"{find_run(home() / 'runs', 'last').name}  finished     5 made, 0 reused  recipe.toml"]
    code, out, _ = _call(folder, "show", "last")
    assert code == 0
    assert "result   " in out
    assert out.count("\nmade ") == 5
    assert _call(folder, "rerun", "last")[:2] == (
        0,
        "out/aoi/aoi-000001.safetensors\nout/aoi/aoi.safetensors\nout/aoi/aoi.json\nout/aoi/report.html\n",
    )
    assert _call(folder, "diff", "last", "last")[1] == "nothing differs\n"
    first = all_runs(home() / "runs")[-1].name
    edit("alpha = 2", "alpha = 1")
    _begun(folder)
    code, out, _ = _call(folder, "diff", first, "last")
    assert code == 0
    assert "stages: target aoi: training.alpha was 2.0, is 1.0\n" in out
    assert "\n-alpha = 2\n+alpha = 1\n" in out
    code, _, errors = _call(folder, "rerun", first)
    assert code == 3
    assert "target aoi: training.alpha was 2.0, is 1.0\nthis is no longer what " in errors
    assert _call(folder, "show", "nothing")[0] == 2


def test_what_is_no_longer_used_is_collected(
    folder: Path, edit: Edit, fake_trainer: Installation, store: Store
) -> None:
    list(execute(_plan(folder), Here(fake_trainer, store), folder / "out"))  # by no run of the ledger
    edit("alpha = 2", "alpha = 1")
    used = _plan(folder)
    code, out, _ = _call(folder, "store", "gc", "recipe.toml")
    assert code == 0
    [name] = [line.split()[2].rstrip(",") for line in out.splitlines() if line.startswith("would remove")]
    assert name.startswith("train-")
    assert name not in {stage.short for stage in used.stages}
    assert store.find(name)
    assert _call(folder, "store", "gc", "recipe.toml", "--delete")[0] == 0
    assert not store.path(name).exists()
    assert len(store.names()) == 4
    begin_run(home() / "runs", used, ASKED)
    assert "would remove" not in _call(folder, "store", "gc")[1]


def test_the_store_is_verified(folder: Path, fake_trainer: Installation, store: Store) -> None:
    _ran(folder, fake_trainer, store)
    assert _call(folder, "store", "verify")[:2] == (0, "5 stages read, 0 files damaged\n")
    merged = next(store.root.glob("merge-*/merged.safetensors"))
    content = bytearray(merged.read_bytes())
    content[-1] ^= 1
    merged.write_bytes(content)
    code, out, _ = _call(folder, "store", "verify")
    assert (code, out.splitlines()[-1]) == (4, "5 stages read, 1 file damaged")
    assert "damaged" in _call(folder, "store", "list")[1]
    _ran(folder, fake_trainer, store)  # what was damaged is made anew
    assert _call(folder, "store", "verify")[0] == 0
    name = store.names()[0]
    with store.lock(name, wait=True):
        code, _, errors = _call(folder, "store", "rm", name)
        assert (code, "another run is at it" in errors) == (75, True)
    assert _call(folder, "store", "rm", name)[0] == 0
    assert _call(folder, "store", "rm", name)[0] == 2
