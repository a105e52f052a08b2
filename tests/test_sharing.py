"""Pods that come and go: two homes and one shared store. Nothing that one has made is made again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.doctor import examine
from lorarecipe.errors import NetworkFailed
from lorarecipe.events import Damaged, Delivered, Event, Finished, Pulling, Pushed, Reused, Started, Unsent
from lorarecipe.plan import Plan, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, NotSent, all_runs, execute, with_shared_store
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from tests.faults.world import World
from tests.gs import GoogleBucket
from tests.s3 import SECRET, Bucket

Edit = Callable[[str, str], Path]
#: what two machines make each for itself, of files that both have
_OWN = {"data", "merge"}


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with Bucket() as one:
        yield one


@pytest.fixture
def sound(bucket: Bucket) -> Bucket:
    """The bucket, with a proxy that passes everything on."""
    bucket.proxy.refused, bucket.proxy.puts = set(), None
    return bucket


@pytest.fixture(scope="module")
def first(whole: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The first pod, which has made everything; its shared store is the folder ``shared`` beside it."""
    world = whole.copy(tmp_path_factory.mktemp("pods") / "first")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LORARECIPE_STORE", str(world.root.parent / "shared"))
        assert world.run() == 0
    return world


def _events(world: World) -> list[dict[str, object]]:
    """Read what the last run of a pod has said."""
    events = [json.loads(line) for line in (world.root / "events").read_text("utf-8").splitlines()]
    begun = max(number for number, event in enumerate(events) if event["event"] == "run")
    return events[begun:]


def _kinds(world: World, name: str) -> list[object]:
    return [event["kind"] for event in _events(world) if event["event"] == name]


def test_a_second_pod_trains_nothing(first: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = first.root.parent / "shared"
    monkeypatch.setenv("LORARECIPE_STORE", str(shared))
    second = World.made(tmp_path / "second")
    monkeypatch.setenv("LORARECIPE_HOME", str(second.home))
    announced = json.loads(_called("plan", str(second.root / "aoi.toml"), "--json"))["shared_store"]["pulled"]
    assert second.run() == 0
    assert set(_kinds(second, "started")) == _OWN
    assert {one["name"].partition("-")[0] for one in announced} == {"train", "sample", "gate", "leak"}
    assert [one["bytes"] for one in announced] == [
        event["size"] for event in _events(second) if event["event"] == "pulling"
    ]
    assert second.results() == first.results()
    [run] = all_runs(second.home / "runs")
    sources = {stage.kind: stage.source for stage in run.record.stages if stage.outcome == "reused"}
    assert sources == dict.fromkeys(["train", "sample", "gate", "leak"], str(shared))
    names = {path.name for path in shared.iterdir()}
    assert names == {name for name in first.store.names() if name.partition("-")[0] not in _OWN}


def test_a_pod_that_is_killed_while_it_pushes(
    first: World, sound: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it had sent is not found; it goes on with the rest, trains nothing again, and its key is nowhere."""
    monkeypatch.delenv("LORARECIPE_STORE", raising=False)
    pod = first.copy(tmp_path / "pod")
    sound.use(monkeypatch, "killed")
    sound.proxy.puts = 4  # of which one is the trial
    running = pod.start()
    deadline = time.monotonic() + 300
    while len(sound.names("killed")) < 3:
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert not [name for name in sound.names("killed") if name.endswith("manifest.json")]
    sound.proxy.puts = None
    assert pod.run() == 0
    assert _kinds(pod, "started") == []
    shared = [name for name in pod.store.names() if name.partition("-")[0] not in _OWN]
    assert len(_kinds(pod, "pushed")) == len(shared)
    other = World.made(tmp_path / "other")
    assert other.run() == 0
    assert set(_kinds(other, "started")) == _OWN
    assert other.results() == first.results()
    for world in (pod, other):
        for path in (path for path in world.root.rglob("*") if path.is_file()):
            assert SECRET.encode() not in path.read_bytes(), path


def test_a_push_that_fails_ends_with_6_after_all_is_done(
    first: World, sound: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LORARECIPE_STORE", raising=False)
    pod = first.copy(tmp_path / "pod")
    record = pod.out / "aoi" / "run.json"
    before = record.read_bytes()
    sound.use(monkeypatch, "refused")
    sound.proxy.puts = 1
    running = pod.start()
    while sound.proxy.puts:
        assert running.poll() is None
        time.sleep(0.05)
    sound.proxy.refused, sound.proxy.puts = {"PUT"}, None
    assert running.wait(300) == 6
    assert "delivered" in [event["event"] for event in _events(pod)]
    assert record.read_bytes() != before
    said = (pod.root / "errors").read_text("utf-8")
    assert "base aoi: not sent: s3://bucket/refused: the shared store refuses" in said
    assert "run the same again: it sends what the shared store lacks" in said
    sound.proxy.refused = set()
    assert pod.run() == 0
    assert len(_kinds(pod, "pushed")) == len(_kinds(pod, "reused")) - len(_OWN & {*_kinds(pod, "reused")}) - 1


def _plan(path: Path) -> Plan:
    return compile_plan([check(scan(load(path)))])


def _run(folder: Path, trainer: Installation, home: str, jobs: int = 1) -> list[Event]:
    workers = with_shared_store([Here(trainer, Store(folder.parent / home))] * jobs)
    return list(execute(_plan(folder / "recipe.toml"), workers, folder / f"out-{home}"))


def _of(events: list[Event], kind: type[Event]) -> list[str]:
    return [event.title for event in events if isinstance(event, kind)]  # type: ignore[attr-defined]


def test_a_network_that_goes_in_the_middle(
    folder: Path, fake_trainer: Installation, sound: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on; the next one sends what the shared store lacks."""
    sound.use(monkeypatch, "middle")
    worker = with_shared_store([Here(fake_trainer, Store(folder.parent / "one"))])
    seen: list[Event] = []
    with pytest.raises(
        NotSent, match=r"(?s)base aoi: not sent: .*target aoi: not sent: .*run the same again"
    ) as caught:
        for event in execute(_plan(folder / "recipe.toml"), worker, folder / "out"):
            seen.append(event)
            if isinstance(event, Started):
                sound.proxy.refused = {"PUT"}
    assert caught.value.exit_code == 6
    assert len(_of(seen, Finished)) == 5
    assert _of(seen, Unsent) == ["base aoi", "target aoi"]
    assert any(isinstance(event, Delivered) for event in seen)
    sound.proxy.refused = set()
    again = _run(folder, fake_trainer, "one")
    assert _of(again, Started) == []
    assert _of(again, Pushed) == ["base aoi", "target aoi"]
    assert _of(_run(folder, fake_trainer, "one"), Pushed) == []


@pytest.mark.parametrize("kind", [Bucket, GoogleBucket])
def test_several_workers_of_a_run(
    folder: Path, fake_trainer: Installation, monkeypatch: pytest.MonkeyPatch, kind: type[Bucket]
) -> None:
    with kind() as bucket:
        bucket.use(monkeypatch)
        assert {*_of(_run(folder, fake_trainer, "one", jobs=2), Pushed)} == {"base aoi", "target aoi"}
        second = _run(folder, fake_trainer, "two", jobs=2)
    assert {*_of(second, Pulling)} == {"base aoi", "target aoi"}
    assert {event.kind for event in second if isinstance(event, Started)} == _OWN


@pytest.mark.parametrize("refused", [{"PUT"}, {"GET", "HEAD"}])
def test_nothing_begins_where_the_store_refuses(
    folder: Path, fake_trainer: Installation, sound: Bucket, monkeypatch: pytest.MonkeyPatch, refused: set[str]
) -> None:
    sound.use(monkeypatch, "start")
    sound.proxy.refused = refused
    with pytest.raises(NetworkFailed, match="the shared store refuses"):
        _run(folder, fake_trainer, "one")
    assert not (folder.parent / "one").exists()


def test_a_stage_that_the_store_has_and_does_not_give(
    folder: Path, fake_trainer: Installation, sound: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not trained again: the run ends, and says so."""
    sound.use(monkeypatch, "given")
    _run(folder, fake_trainer, "one")
    worker = with_shared_store([Here(fake_trainer, Store(folder.parent / "two"))])
    seen: list[Event] = []
    with pytest.raises(NetworkFailed, match="the shared store refuses"):
        for event in execute(_plan(folder / "recipe.toml"), worker, folder / "out"):
            seen.append(event)
            sound.proxy.refused = {"GET"}
    assert {event.kind for event in seen if isinstance(event, Started)} == {"data"}


def test_damage_is_said_once_and_mended(
    folder: Path, fake_trainer: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", str(tmp_path / "shared"))
    _run(folder, fake_trainer, "one")
    [lora] = (tmp_path / "shared" / _plan(folder / "recipe.toml").stages[2].short).glob("*/lora.safetensors")
    content = bytearray(lora.read_bytes())
    content[-1] ^= 1
    lora.write_bytes(content)
    second = _run(folder, fake_trainer, "two")
    assert _of(second, Damaged) == ["base aoi"]
    assert [event.message for event in second if isinstance(event, Damaged)] == [
        f"{lora}: the file is not what its digest says"
    ]
    assert [event.title for event in second if isinstance(event, Started) and event.kind == "train"] == ["base aoi"]
    assert _of(second, Pushed) == ["base aoi"]
    third = _run(folder, fake_trainer, "three")
    assert _of(third, Damaged) == []
    assert _of(third, Pulling) == ["base aoi", "target aoi"]
    assert {event.title: event.source for event in third if isinstance(event, Reused)} == {
        "base aoi": str(tmp_path / "shared"),
        "target aoi": str(tmp_path / "shared"),
    }
    assert [event.kind for event in third if isinstance(event, Started)] == ["data", "data", "merge"]


def test_what_was_made_of_changed_files_stays_here(
    folder: Path, fake_trainer: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", str(tmp_path / "shared"))
    worker = with_shared_store([Here(fake_trainer, Store(tmp_path / "one"))])
    seen: list[Event] = []
    with pytest.raises(Exception, match="changed while it was used"):
        for event in execute(_plan(folder / "recipe.toml"), worker, folder / "out"):
            seen.append(event)
            if isinstance(event, Started) and event.title == "base aoi":
                path = folder / "checkpoint.safetensors"
                path.write_bytes(path.read_bytes()[:-1] + b"!")
    assert _of(seen, Pushed) == []
    assert [*(tmp_path / "shared").iterdir()] == []


def test_the_doctor_and_the_list(
    folder: Path, fake_trainer: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    found = {finding.what: finding for finding in examine((), folder / "out")}
    assert "shared store" not in found
    monkeypatch.setenv("LORARECIPE_STORE", str(shared))
    _run(folder, fake_trainer, "home/store")
    found = {finding.what: finding for finding in examine((), folder / "out")}
    assert (found["shared store"].state, found["shared store"].found) == ("ok", f"a file can be written at {shared}")
    names = sorted(path.name for path in shared.iterdir())
    listed = _called("store", "list").splitlines()
    assert [line.split()[0] for line in listed if line.endswith("  shared")] == names
    assert listed[-1] == f"2 of them are in the shared store too: {shared}"
    said = json.loads(_called("store", "list", "--json"))
    assert sorted(stage["name"] for stage in said["stages"] if stage["is_shared"]) == names
    _called("store", "gc", "--delete")
    _called("store", "verify")
    assert sorted(path.name for path in shared.iterdir()) == names
    monkeypatch.setenv("LORARECIPE_STORE", "/dev/null/shared")
    found = {finding.what: finding for finding in examine((), folder / "out")}
    assert (found["shared store"].state, "/dev/null/shared" in found["shared store"].found) == ("lack", True)


def _called(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "lorarecipe", *words], capture_output=True, text=True, check=True)
    return done.stdout
