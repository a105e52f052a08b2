from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.errors import MachineNotReady
from lorarecipe.files import (
    canonical_json,
    digest_of,
    file_digest,
    fitting,
    home,
    large_file_digest,
    machine,
    read_file,
    read_json,
    vendor,
    write_atomic,
)

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_json)
def test_canonical_json_reads_back(value: object) -> None:
    text = canonical_json(value)
    assert json.loads(text) == value
    assert text.isascii()


@given(st.dictionaries(st.text(), st.integers()))
def test_digest_does_not_depend_on_order(value: dict[str, int]) -> None:
    assert digest_of(value) == digest_of(dict(reversed(value.items())))


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomic(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomic(path, "new \udc80")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.json"]


def test_a_remembered_digest_is_dropped_when_the_file_changes(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"one")
    assert large_file_digest(path) == large_file_digest(path) == file_digest(path)
    status = path.stat()
    path.write_bytes(b"two")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    assert large_file_digest(path) == file_digest(path)


def test_a_broken_memory_is_no_hindrance(tmp_path: Path) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"one")
    write_atomic(home() / "digests.json", "{ torn")
    assert large_file_digest(path) == file_digest(path)


def test_vendored_files_are_found() -> None:
    assert vendor("sd-scripts.toml").is_file()


def test_a_link_of_a_drafts_name_is_not_followed(tmp_path: Path) -> None:
    path, victim = tmp_path / "a.txt", tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / f".a.txt.{machine()}-{os.getpid()}-{threading.get_native_id()}.part").symlink_to(victim)
    write_atomic(path, "new")
    assert (path.read_text(), victim.read_text()) == ("new", "precious")
    assert not path.is_symlink()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_permissions_stay(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    write_atomic(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", mode)


@pytest.mark.parametrize("name", ["a" * 255, "あ" * 85, "b" * 140])
def test_a_name_as_long_as_any(tmp_path: Path, name: str) -> None:
    write_atomic(tmp_path / name, "whole")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["whole"]


@given(st.text(), st.text())
def test_shortened_names_stay_apart(one: str, other: str) -> None:
    assert len(os.fsencode(fitting("n" * 100 + one.encode("utf-8", "replace").decode()))) <= 83
    assert (fitting(one * 50) == fitting(other * 50)) == (one * 50 == other * 50)


def test_only_regular_files_of_a_bounded_size_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"12345")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(OSError, match="not a regular file"):
            read_file(path)
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_file(tmp_path / "large", 4)
    assert read_file(tmp_path / "large", 5) == b"12345"


def test_json_that_is_nested_too_deeply(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(tmp_path / "a.json")


@pytest.mark.parametrize("memory", ['["a"]', '{"/x": 3}', '{"/x": ["a"]}', "[" * 100_000, '{"/x": [1, 2, "ab"]}'])
def test_a_memory_of_another_form_is_dropped(tmp_path: Path, memory: str) -> None:
    path = tmp_path / "model"
    path.write_bytes(b"one")
    write_atomic(home() / "digests.json", memory)
    assert large_file_digest(path) == file_digest(path)
    assert [*json.loads((home() / "digests.json").read_text())] == [str(path.resolve())]


def test_a_home_that_no_trainer_could_be_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_HOME", "/somewhere/\udcff")
    with pytest.raises(MachineNotReady, match=r"not UTF-8.*LORARECIPE_HOME"):
        home()
