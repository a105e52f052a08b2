from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lorarecipe.errors import Busy
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


_FOREIGN = (
    '{"00/file": {}}',
    '{"00/file": 3.5}',
    '{"00/file": {"sha256": 1, "stamp": [1, 2, 3, 4]}}',
    '{"00/file": {"sha256": "", "stamp": []}}',
    "[]",
    "[" * 100_000,
)


@pytest.mark.parametrize("harm", ["cut", "gone", "flipped", "manifest", "torn manifest", *_FOREIGN])
def test_a_damaged_entry_is_not_found_and_is_replaced(store: Store, harm: str) -> None:
    place = _make(store)
    match harm:
        case "cut":
            (place / "00" / "file").write_text("")
        case "gone":
            (place / "00" / "file").unlink()
        case "flipped":
            (place / "00" / "file").write_text("z")
        case "manifest":
            (place / MANIFEST).unlink()
        case "torn manifest":
            (place / MANIFEST).write_text('{"00/f')
        case _:
            (place / MANIFEST).write_text(harm)
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
from lorarecipe.errors import Busy
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


def test_a_copied_store_is_read_once_and_serves(store: Store, tmp_path: Path) -> None:
    _make(store)
    shutil.copytree(store.root, tmp_path / "copied")
    other = Store(tmp_path / "copied")
    before = other.manifest("data-1")
    assert other.find("data-1")
    after = other.manifest("data-1")
    assert after != before
    assert {name: sealed.sha256 for name, sealed in after.items()} == {name: s.sha256 for name, s in before.items()}
    (tmp_path / "copied" / "data-1" / "00" / "file").write_text("z")
    assert other.find("data-1") is None


def test_a_store_of_the_first_form_serves(store: Store) -> None:
    """Its manifests had sizes alone."""
    place = _make(store)
    (place / MANIFEST).write_text('{"00/file":1,"stage.json":7}')
    assert store.find("data-1")
    assert len(store.manifest("data-1")["00/file"].sha256) == 64
    (place / "00" / "file").write_text("z")
    assert store.find("data-1") is None


def test_a_worker_that_was_overtaken_publishes_nothing(store: Store) -> None:
    """Somebody removed its lock file; another began the same stage."""
    folder = store.begin("data-1", {})
    (folder / "mine").touch()
    other = Store(store.root)
    (other.begin("data-1", {}) / "theirs").touch()
    with pytest.raises(Busy, match="another run took this stage over"):
        store.keep("data-1")
    assert store.find("data-1") is None
    assert (other.keep("data-1") / "theirs").exists()


def test_what_was_sealed_and_changed_is_sealed_again(store: Store) -> None:
    folder = store.begin("data-1", {})
    (folder / "file").write_text("one")
    sealed = store.seal("data-1")
    (folder / "file").write_text("two")
    (folder / "more").write_text("three")
    store.keep("data-1", sealed)
    assert store.damaged_files("data-1") == []
    assert {*store.manifest("data-1")} == {"file", "more", "stage.json"}


def test_what_is_removed_is_no_longer_found(store: Store) -> None:
    _make(store)
    store.begin("data-2", {})
    assert (store.names(), store.attempts()) == (["data-1"], ["data-2"])
    assert store.size("data-1") > 1
    for name in ("data-1", "data-2"):
        store.remove(name)
    assert (store.names(), store.attempts()) == ([], [])
