"""What lies beside a result may be damaged, or edited: it is read whole, or not at all, and a page comes of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lorarecipe.records import (
    Advice,
    Candidate,
    Candidates,
    CastMember,
    Check,
    CheckpointUsed,
    Gate,
    GatePicture,
    Leak,
    Network,
    Passport,
    Point,
    Row,
    Shot,
    record_text,
)
from lorarecipe.report.pages import page
from lorarecipe.report.story import Story
from lorarecipe.run import CANDIDATES, LEAK, PASSPORT, Arguments, PlannedStage, Run, RunRecord
from lorarecipe.run.form import Identity
from tests.renders import shoot

_PICTURE = "samples/a.png"
_MEASURED = {"white_border": 0.1, "look_3d": None, "unheard of": 0.5}
_ROW = Row("target", None, 1.0, 1, _MEASURED)
_SHOT = Shot(_PICTURE, "target", None, 1.0, "1girl", 1, _MEASURED)
_SEEN = GatePicture(_PICTURE, "red hair", 1, False, 1.0, 0.9, 0.9, "full body", (1.0, 2.0, 3.0), "red hair")
_GATE = Gate("base", "pass", (Check("upright", 1, 1, "pass", "a note"),), (_SEEN,), {"seed": 42})
_CHECKPOINT, _NETWORK = CheckpointUsed("sd15", "sd.safetensors", "c1", None, False), Network("networks.lora", 4, 2, 2.0)
_CAST = (CastMember(("red hair",), 4, 1),)
_FILES: dict[str, Leak | Candidates | Passport] = {
    LEAK: Leak(("k",), Advice(None, 1.0, "x"), (_ROW,), (_SHOT,), (Point("target", None, 1.0, 5.0, 0.2, True),)),
    CANDIDATES: Candidates(("k",), (Candidate(_PICTURE, "a.png", "x", 1, True),)),
    PASSPORT: Passport("base", "b1", "k1", ("k",), _CHECKPOINT, _NETWORK, (_GATE,), cast=_CAST),
}
_OTHER: list[Any] = [None, "x", "5", -1, 1e400, [], {}, [{}], {"a": [1]}, True]


def _story(folder: Path) -> Story:
    plan = [PlannedStage(key="k", name="sample-k", title="x", identity=Identity())]
    arguments = Arguments(recipes=[], out="out")
    record = RunRecord(state="finished", began="now", arguments=arguments, versions={}, recipes=[], plan=plan)
    return Story(Run(folder, record), "aoi", folder, {}, folder)


def _read(story: Story, file: str) -> object:
    """Give what a page reads of a file; nothing where it is of no use."""
    return {LEAK: story.leak, CANDIDATES: story.candidates, PASSPORT: story.passport}[file] or None


def _ways(value: object, way: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for name, inner in items:
        yield (*way, name)
        yield from _ways(inner, (*way, name))


@pytest.mark.parametrize("file", _FILES)
def test_what_was_written_is_read(tmp_path: Path, file: str) -> None:
    record = _FILES[file]
    (tmp_path / file).write_text(record_text(record))
    assert _read(_story(tmp_path), file) == record
    (tmp_path / file).write_text(record_text(replace(record, of=("k", "other"))))
    assert _read(_story(tmp_path), file) is None


@pytest.mark.parametrize("file", _FILES)
def test_no_value_of_another_kind_stops_a_page(tmp_path: Path, file: str) -> None:
    (tmp_path / "samples").mkdir()
    shoot("red hair", "twintails", "full_front", (16, 16)).save(tmp_path / _PICTURE)
    good = json.loads(record_text(_FILES[file]))
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
    assert _read(_story(tmp_path), file) is None
    (tmp_path / file).unlink()
    (tmp_path / file).mkdir()
    assert _read(_story(tmp_path), file) is None


def test_a_folder_whose_name_is_not_text(tmp_path: Path) -> None:
    folder = tmp_path / "\udcff"
    folder.mkdir()
    (folder / LEAK).write_text(record_text(_FILES[LEAK]))
    assert b"udcff" in page([_story(folder)], folder / "report.html")
