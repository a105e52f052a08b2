from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lorarecipe.store import MANIFEST, Store


def _make(store: Store, name: str = "data-1", content: str = "x") -> Path:
    folder = store.begin(name, {"a": 1})
    (folder / "00").mkdir()
    (folder / "00" / "file").write_text(content)
    return store.keep(name)


def test_nothing_is_found_before_it_is_kept(store: Store) -> None:
    assert store.find("data-1") is None
    store.begin("data-1", {})
    assert store.find("data-1") is None
    place = _make(store)
    assert store.find("data-1") == place == store.path("data-1")
    assert not store.attempt("data-1").exists()


@pytest.mark.parametrize("harm", ["cut", "gone", "manifest", "torn manifest"])
def test_a_damaged_entry_is_not_found_and_is_replaced(store: Store, harm: str) -> None:
    place = _make(store)
    match harm:
        case "cut":
            (place / "00" / "file").write_text("")
        case "gone":
            (place / "00" / "file").unlink()
        case "manifest":
            (place / MANIFEST).unlink()
        case "torn manifest":
            (place / MANIFEST).write_text('{"00/f')
    assert store.find("data-1") is None
    assert (_make(store, content="y") / "00" / "file").read_text() == "y"
    assert store.find("data-1")


def test_a_broken_attempt_is_cleared(store: Store) -> None:
    (store.begin("data-1", {}) / "half").touch()
    assert not (store.begin("data-1", {}) / "half").exists()


def test_identities_of_finished_stages(store: Store) -> None:
    _make(store)
    store.begin("data-2", {})
    assert list(store.identities("data")) == [("data-1", {"a": 1})]
    assert list(store.identities("train")) == []


def test_a_lock_is_exclusive_and_goes_with_its_owner(store: Store) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", f"""
import time
from pathlib import Path
from lorarecipe.store import Store
with Store(Path({str(store.root)!r})).lock("data-1", wait=True):
    print("held", flush=True)
    time.sleep(60)
"""],
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    with store.lock("data-1", wait=False) as held:
        assert not held
    holder.kill()
    holder.communicate()
    with store.lock("data-1", wait=False) as held:
        assert held
