from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.dataset import Look, Picture, picture, scan
from lorarecipe.dataset.memory import Memory
from lorarecipe.dataset.picture import Measured
from lorarecipe.files import home
from lorarecipe.recipe import load
from tests.renders import shoot

STAMP = (1, 2, 3, 4)


def _pictures(folder: Path) -> tuple[Picture, ...]:
    dataset = scan(load(folder / "recipe.toml"))
    return tuple(picture for group in dataset.groups for picture in group.pictures)


def _old(folder: Path) -> None:
    """Let a minute pass."""
    for path in folder.rglob("*.png"):
        os.utime(path, (time.time() - 60, time.time() - 60))


def test_what_was_measured_is_not_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _old(folder)
    first = _pictures(folder)
    monkeypatch.setattr(picture, "look_at", None)  # would fail
    second = _pictures(folder)
    assert second == first
    assert [picture.look for picture in second] == [picture.look for picture in first]


def test_a_changed_image_is_measured_again(folder: Path) -> None:
    _old(folder)
    _pictures(folder)
    path = folder / "aoi" / "full_front.png"
    status = path.stat()
    shoot("red hair", "twintails", "full_front", (96, 160)).save(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))  # a copy tool keeps the time
    [picture] = [picture for picture in _pictures(folder) if picture.path == path]
    assert picture.look.hair is not None
    assert picture.look.hair[1] > 40  # red


def test_an_image_of_this_moment_is_not_remembered(folder: Path) -> None:
    _pictures(folder)
    assert not list((home() / "looks").glob("*"))


@pytest.mark.parametrize("content", ["", "[]", '{"version": 0, "images": {}}', '{"images": {"a": 1}}', "\0"])
def test_a_torn_memory_is_forgotten(folder: Path, content: str) -> None:
    _old(folder)
    first = _pictures(folder)
    for path in (home() / "looks").glob("*"):
        path.write_text(content)
    assert _pictures(folder) == first


def test_a_home_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _old(folder)
    (tmp_path / "file").touch()
    monkeypatch.setenv("LORARECIPE_HOME", str(tmp_path / "file"))
    assert _pictures(folder)


SHARES = st.floats(0, 1, allow_nan=False)
LOOKS = st.builds(
    Look,
    frames=st.integers(1, 9),
    profile=st.text(max_size=5),
    clear=SHARES,
    corners=st.tuples(SHARES, SHARES, SHARES, SHARES),
    hair=st.none() | st.tuples(SHARES, SHARES, SHARES),
    light=st.none() | st.tuples(SHARES, SHARES),
)


@given(LOOKS, st.text(max_size=9))
def test_a_look_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, look: Look, name: str) -> None:
    folder = tmp_path_factory.mktemp("folder")
    memory, measured = Memory(folder), Measured(1, 2, "ab", look)
    memory.keep(name, STAMP, measured)
    memory.write()
    assert Memory(folder).recall(name, STAMP) == measured
    assert Memory(folder).recall(name, (9, 2, 3, 4)) is None


@pytest.mark.parametrize("field", ["print", "mirrored", "widths"])
@pytest.mark.parametrize("value", ["abc", "zz", "0x", 5, None])
def test_an_edited_measure_is_forgotten(tmp_path: Path, field: str, value: object) -> None:
    memory = Memory(tmp_path)
    memory.keep("a", STAMP, Measured(1, 2, "ab", replace(Look(), **{field: value})))  # type: ignore[arg-type]
    memory.write()
    assert Memory(tmp_path).recall("a", STAMP) is None
