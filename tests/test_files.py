from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.files import canonical_json, digest_of, file_digest, home, large_file_digest, vendor, write_atomic

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
