from __future__ import annotations

import json

import pytest
from syrupy.assertion import SnapshotAssertion

from lorarecipe.events import Delivered, Event, Failed, Finished, Paused, Pausing, Progress, Reused, Started, Waiting
from lorarecipe.live import show
from lorarecipe.records import Made

EVENTS: list[Event] = [
    Reused("k0", "images of the base", "data", Made()),
    Waiting("k1", "base [x]", "train"),
    Started("k1", "base [x]", "train", "to learn the look", ("python", "train.py"), "log"),
    Progress("k1", 0, 40, 1, 2, None, None),
    *(Progress("k1", step, 40, 1 + step // 21, 2, 0.5, 40.0 - step) for step in range(1, 41)),
    Pausing("k1", "base [x]", "train", "a signal asks for it"),
    Paused("k1", "base [x]", "train", 40, 40),
    Finished("k1", "base [x]", "train", 75.2, {"modules": 264, "rank": 8}, ("x.safetensors",)),
    Started("k2", "merged", "merge", "to start from", ("python", "merge.py"), "log"),
    Failed("k2", "merged", "merge", "no", "log"),
    Delivered("aoi", "out/aoi/aoi.safetensors", "00"),
]


def test_plain_lines(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    assert list(show(EVENTS, as_json=False)) == EVENTS
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == snapshot


def test_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    list(show(EVENTS, as_json=True))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == [type(event).__name__.lower() for event in EVENTS]
    assert lines[1] == {"event": "waiting", "key": "k1", "title": "base [x]", "kind": "train"}


def test_a_terminal_is_left_as_it_was(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert list(show(EVENTS, as_json=False)) == EVENTS
    shown = capsys.readouterr().err
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor is hidden, and shown again
    assert "base [x]" in shown
    assert "done in 0:01:15" in shown
