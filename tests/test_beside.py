"""What lies beside a result may be damaged, or edited: it is read whole, or not at all, and a page comes of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from lorarecipe.report.beside import read_beside
from lorarecipe.report.pages import page
from lorarecipe.report.story import Story
from lorarecipe.run import CANDIDATES, LEAK, PASSPORT, Run
from lorarecipe.run.gate import Check, Gate, Seen
from lorarecipe.run.leak import Row, Shot
from tests.renders import shoot

_PICTURE = "samples/a.png"
_SHOT = Shot(_PICTURE, "target", None, 1.0, "1girl", 1, False, 0.1, 0.2, None, 3.0, 4.0, {"3d": 0.5})
_ROW = Row("target", None, 1.0, 1, 0.1, 0.2, None, 3.0, 4.0, None, {"3d": 0.5})
_SEEN = Seen("a.png", "red hair", 1, False, 1.0, 0.9, 0.9, "full body", (1.0, 2.0, 3.0), "red hair")
_GATE = Gate("base", (Check("upright", 1, 1, "pass", "a note"),), (_SEEN,)).as_json()
_FILES: dict[str, dict[str, Any]] = {
    LEAK: {
        "of": ["k"],
        "advice": {"epoch": None, "weight": 1.0, "reason": "x"},
        "rows": [asdict(_ROW)],
        "pictures": [asdict(_SHOT)],
    },
    CANDIDATES: {
        "of": ["k"],
        "pictures": [{"place": _PICTURE, "name": "a.png", "prompt": "x", "seed": 1, "picked": True}],
    },
    PASSPORT: {
        "of": ["k"],
        "name": "base",
        "cast": [{"traits": ["red hair"], "images": 4, "repeats": 1}],
        "gate": [_GATE | {"pictures": [asdict(_SEEN) | {"place": _PICTURE}]}],
    },
}
_OTHER: list[Any] = [None, "x", "5", -1, 1e400, [], {}, [{}], {"a": [1]}, True]


def _story(folder: Path) -> Story:
    told = {"plan": [{"key": "k", "name": "sample-k", "title": "x"}], "stages": [], "state": "finished", "began": "now"}
    return Story(
        Run(folder, told | {"recipes": [], "versions": {}, "findings": [], "files": {}}), "aoi", folder, {}, folder
    )


def _ways(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for name, inner in items:
        yield (*way, name)
        yield from _ways(inner, (*way, name))


@pytest.mark.parametrize("file", _FILES)
def test_what_was_written_is_read(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text(json.dumps(_FILES[file]))
    assert read_beside(tmp_path / file, ["k", "other"]) == json.loads(json.dumps(_FILES[file]))
    assert read_beside(tmp_path / file, ["other"]) == {}


@pytest.mark.parametrize("file", _FILES)
def test_no_value_of_another_kind_stops_a_page(tmp_path: Path, file: str) -> None:
    (tmp_path / "samples").mkdir()
    shoot("red hair", "twintails", "full_front", (16, 16)).save(tmp_path / _PICTURE)
    good = json.loads(json.dumps(_FILES[file]))
    ways = list(_ways(good))
    assert len(ways) > 5
    for way in ways:
        for other in _OTHER:
            bad = copy.deepcopy(good)
            inner: Any = bad
            for name in way[:-1]:
                inner = inner[name]
            inner[way[-1]] = other
            (tmp_path / file).write_text(json.dumps(bad))
            assert page([_story(tmp_path)], tmp_path / "report.html").endswith(b"</html>")


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff", b"[" * 100_000, b'{"of": ["k"]', b'{"of": []}'])
@pytest.mark.parametrize("file", _FILES)
def test_what_is_no_record(tmp_path: Path, file: str, content: bytes) -> None:
    (tmp_path / file).write_bytes(content)
    assert read_beside(tmp_path / file, ["k"]) == {}
    (tmp_path / file).unlink()
    (tmp_path / file).mkdir()
    assert read_beside(tmp_path / file, ["k"]) == {}


def test_a_folder_whose_name_is_not_text(tmp_path: Path) -> None:
    folder = tmp_path / "\udcff"
    folder.mkdir()
    (folder / LEAK).write_text(json.dumps(_FILES[LEAK]))
    assert b"udcff" in page([_story(folder)], folder / "report.html")
