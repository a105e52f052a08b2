"""A dataset on the hub as the shared store, by the real client and a stand-in of the hub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lorarecipe.errors import NetworkFailed
from lorarecipe.shared import SharedStore, shared_store
from lorarecipe.store import Store
from tests.hub import Hub
from tests.s3 import stage_files

#: huggingface_hub's own upload
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
REPOSITORY = "datasets/aki/stages"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub() as one:
        one.use(monkeypatch, "hf_of_the_test")
        monkeypatch.setenv("LORARECIPE_STORE", f"hf://{REPOSITORY}/prefix")
        one.add(REPOSITORY, {"README.md": b""})
        yield one


def _shared() -> SharedStore:
    found = shared_store()
    assert found
    return found


def _stage(root: Path) -> Store:
    store = Store(root)
    folder = store.begin("train-1", {})
    (folder / "lora.safetensors").write_bytes(b"x" * 100_000)
    (folder / "empty").touch()
    store.keep("train-1")
    return store


def test_a_stage_is_two_commits(hub: Hub, tmp_path: Path) -> None:
    store, shared = _stage(tmp_path / "one"), _shared()
    assert shared.having(["train-1"]) == {}
    before = len(hub[REPOSITORY].log)
    shared.push("train-1", store, lambda size: None, replaces=False)
    assert len(hub[REPOSITORY].log) == before + 2
    other, found = Store(tmp_path / "two"), _shared().find("train-1")
    assert found
    _shared().pull(found, {}, other.pulled("train-1"), lambda size: None)
    other.adopt("train-1")
    assert stage_files(other.path("train-1")) == stage_files(store.path("train-1"))
    shared.push("train-1", store, lambda size: None, replaces=False)
    assert sorted(hub[REPOSITORY].files()) == sorted(
        ["README.md", "prefix/train-1/manifest.json", *(f"prefix/{found.folder}/{file}" for file in found.files)]
    )


def test_a_repository_that_is_not_there(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_STORE", "hf://datasets/aki/another/prefix")
    with pytest.raises(NetworkFailed, match="there is no such bucket, repository or folder"):
        _shared().push("train-1", _stage(tmp_path / "one"), lambda size: None, replaces=False)


@pytest.mark.parametrize("status", [401, 403])
def test_a_hub_that_refuses(hub: Hub, tmp_path: Path, status: int) -> None:
    hub.fail(status, method="POST")
    with pytest.raises(NetworkFailed, match=r"the shared store refuses .*hf auth login"):
        _shared().push("train-1", _stage(tmp_path / "one"), lambda size: None, replaces=False)
