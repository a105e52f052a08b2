"""What `plan` says of stages that the shared store has, and where it cannot be asked."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from syrupy.assertion import SnapshotAssertion

from lorarecipe.dataset import scan
from lorarecipe.doctor import examine
from lorarecipe.errors import MachineNotReady, data_size
from lorarecipe.files import home
from lorarecipe.plan import LORA, Plan, TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute, with_shared_store
from lorarecipe.shared import shared_store
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from tests.s3 import SECRET, Bucket
from tests.test_cli import _call, _tree

Edit = Callable[[str, str], Path]
UNKNOWN = "warning: which stages the shared store has is not known, and the plan counts none of them: "


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with Bucket() as one:
        yield one


def _plan(folder: Path) -> Plan:
    return compile_plan([check(scan(load(folder / "recipe.toml")))])


def _trainings(folder: Path) -> list[TrainStage]:
    return [stage for stage in _plan(folder).stages if isinstance(stage, TrainStage)]


def _made(stage: TrainStage, store: Store, size: int) -> None:
    """Put a training into a store, with a LoRA of so many bytes."""
    (store.begin(stage.short, stage.identity()) / LORA).write_bytes(bytes(size))
    store.keep(stage.short)


def _sent(folder: Path, *roles: str, size: int = 1_500_000) -> None:
    """Have another machine make the trainings of these roles, and send them to the shared store."""
    shared, store = shared_store(), Store(folder.parent / "another")
    assert shared
    for stage in _trainings(folder):
        if stage.role in roles:
            _made(stage, store, size)
            shared.push(stage.short, store, lambda size: None, replaces=False)


def test_what_is_pulled(folder: Path, snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", str(folder / "shared"))
    _sent(folder, "base")
    before = _tree(folder)
    assert _call(folder, "plan", "recipe.toml", "--speed", "2", "--sweep", "target.training.rank=1,2") == snapshot
    assert _tree(folder) == before
    assert not home().joinpath("store").exists()


def test_the_same_to_programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", str(folder / "shared"))
    alone = json.loads(_call(folder, "plan", "recipe.toml", "--speed", "2", "--json")[1])
    assert alone["shared_store"] == {"address": "<work>/shared", "pulled": [], "problem": None}
    _sent(folder, "base", "target")
    told = json.loads(_call(folder, "plan", "recipe.toml", "--speed", "2", "--json")[1])
    base, target = _trainings(folder)
    [one, other] = told["shared_store"]["pulled"]
    assert [one["name"], other["name"]] == [base.short, target.short]
    assert min(one["bytes"], other["bytes"]) > 1_500_000
    because = {stage["title"]: stage["runs_because"] for stage in told["stages"]}
    assert (because["base aoi"], because["target aoi"]) == (None, None)
    assert because["base aoi merged into checkpoint.safetensors"] == "not made before"  # its base is not what runs
    estimates = told["estimates"]
    assert (estimates["times"], estimates["memory"]) == ([], [])
    assert [name.partition("-")[0] for name in estimates["untimed"]] == ["merge"]
    more = estimates["disk"][0]["needed"] - alone["estimates"]["disk"][0]["needed"]
    assert more == one["bytes"] + other["bytes"] - base.size - target.size


def test_without_a_shared_store_nothing_is_said_of_one(folder: Path) -> None:
    assert "shared_store" not in json.loads(_call(folder, "plan", "recipe.toml", "--json")[1])


def test_it_is_not_asked_where_nothing_is_to_be_pulled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", "/dev/null/shared")
    for stage in _trainings(folder):
        _made(stage, Store(home() / "store"), 100)
    code, out, _ = _call(folder, "plan", "recipe.toml")
    assert (code, UNKNOWN in out) == (0, False)
    assert "5 stages: 3 to run, 2 reused\n" in out


def test_a_store_that_refuses(folder: Path, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.use(monkeypatch)
    _sent(folder, "base")
    assert "5 stages: 4 to run, 1 to pull (1.5 MB), 0 reused\n" in _call(folder, "plan", "recipe.toml")[1]
    bucket.proxy.refused = {"GET", "HEAD"}
    code, out, err = _call(folder, "plan", "recipe.toml")
    assert (code, err) == (0, "")
    assert "5 stages: 5 to run, 0 reused\n" in out
    [warning] = [line for line in out.splitlines() if line.startswith("warning: ")]
    assert warning.startswith(f"{UNKNOWN}s3://bucket/prefix: the shared store refuses (Forbidden")
    assert SECRET not in out


def test_an_address_that_is_none(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", "s3://me:mypassword@bucket/prefix")
    code, out, err = _call(folder, "plan", "recipe.toml")
    assert (code, err) == (0, "")
    assert f"\n{UNKNOWN}LORARECIPE_STORE holds a user name, a password or options; " in out
    [warning] = [line for line in out.splitlines() if line.startswith("warning: ")]
    told = json.loads(_call(folder, "plan", "recipe.toml", "--json")[1])
    shared = told["shared_store"]
    assert (shared["address"], shared["pulled"], UNKNOWN + shared["problem"]) == (None, [], warning)
    assert told["estimates"]["warnings"] == [warning.removeprefix("warning: ")]
    assert "mypassword" not in out


def test_a_network_that_swallows_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plan waits for a while, and no thread that still waits keeps the program."""
    program = "from lorarecipe.run import pulls; pulls._PATIENCE = 1; from lorarecipe.cli import entry; entry()"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        Bucket().use(monkeypatch, port=silent.getsockname()[1])
        began = time.monotonic()
        words = [sys.executable, "-c", program, "plan", "recipe.toml"]
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env={**os.environ})
    assert (done.returncode, done.stderr) == (0, "")
    assert f"\n{UNKNOWN}s3://bucket/prefix: the shared store has not answered for 1 seconds; look at" in done.stdout
    assert time.monotonic() - began < 15  # the library itself tries for more than a minute


def test_a_disk_with_room_for_what_is_pulled(
    folder: Path, fake_trainer: Installation, edit: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run asks for the bytes that come, not for those that the trainings would have taken."""
    monkeypatch.setenv("LORARECIPE_STORE", str(folder / "shared"))
    edit("rank = 4\nalpha = 4", "rank = 128\nalpha = 4")
    needed = json.loads(_call(folder, "plan", "recipe.toml", "--json")[1])["estimates"]["disk"][0]["needed"]
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=needed - 1))
    workers = with_shared_store([Here(fake_trainer, Store(home() / "store"))])
    with pytest.raises(MachineNotReady, match="free, expected"):
        next(execute(_plan(folder), workers, folder / "out"))
    _sent(folder, "base", size=100)
    events = execute(_plan(folder), workers, folder / "out")
    assert next(events)
    events.close()


def test_the_doctor_counts_what_is_pulled_with_its_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", str(folder / "shared"))
    _sent(folder, "base", "target", size=100_000_000)
    needed = json.loads(_call(folder, "plan", "recipe.toml", "--json")[1])["estimates"]["disk"][0]["needed"]
    found = {finding.what: finding.found for finding in examine([load(folder / "recipe.toml")], folder / "out")}
    assert found["disk of the store"].endswith(f"the run needs {data_size(needed)} there")
    monkeypatch.delenv("LORARECIPE_STORE")
    alone = {finding.what: finding.found for finding in examine([load(folder / "recipe.toml")], folder / "out")}
    assert alone["disk of the store"] != found["disk of the store"]
