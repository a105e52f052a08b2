from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from rich.console import Console
from syrupy.assertion import SnapshotAssertion

from lorarecipe.events import (
    Damaged,
    Delivered,
    Event,
    Failed,
    Fetching,
    Finished,
    Gated,
    Measured,
    Paused,
    Pausing,
    Progress,
    Pulling,
    Pushed,
    Pushing,
    Reused,
    Started,
    Unsent,
    Waiting,
)
from lorarecipe.live import display, show
from lorarecipe.live.course import Course
from lorarecipe.live.display import _Display
from lorarecipe.live.words import position
from lorarecipe.records import Check, Made, Row

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
#: events up to the training's tenth step
_TENTH = 14
STEPS = {"k0": 0, "k1": 40, "k2": 0, "k3": 1000}


class _Seconds:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.passed = 0.0

    def __call__(self) -> float:
        return self.passed


def test_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    seconds = _Seconds()

    def slowly() -> Iterator[Event]:
        for event in EVENTS:
            seconds.passed += 10
            moment.shift(10)
            yield event

    with time_machine.travel(datetime(2026, 11, 27, 12, 0, 0), tick=False) as moment:
        assert list(show(slowly(), Course(STEPS, seconds))) == EVENTS
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == snapshot


def test_a_dumb_terminal_gets_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    list(show(EVENTS, Course(STEPS)))
    assert "\x1b" not in capsys.readouterr().err


def test_quiet_shows_failures_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(show(EVENTS, Course(STEPS), quiet=True)) == EVENTS
    assert capsys.readouterr() == ("", "failed   merged: no\n")


def test_verbose_shows_commands(capsys: pytest.CaptureFixture[str]) -> None:
    list(show(EVENTS, Course(STEPS), verbose=True))
    assert "python train.py" in capsys.readouterr().err


def test_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    list(show(EVENTS, Course(STEPS), as_json=True))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines] == [type(event).__name__.lower() for event in EVENTS]
    assert lines[1] == {"event": "waiting", "key": "k1", "title": "base [x]", "kind": "train", "gpu": ""}


def test_a_terminal_is_left_as_it_was(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    assert list(show(EVENTS, Course(STEPS))) == EVENTS
    shown = capsys.readouterr().err
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor is hidden, and shown again
    assert "base [x] in 0:01:15" in shown


@pytest.mark.parametrize("width", [80, 60, 120])
def test_a_long_title_is_cut_and_nothing_else(width: int) -> None:
    console = Console(width=width, force_terminal=True, color_system=None, file=io.StringIO(), legacy_windows=False)
    title = "target of a character with a very long name, on a base with a name that is not shorter at all"
    course = Course({"a": 0, "b": 20000, "c": 20000}, _Seconds())
    rows = _Display(console, course)
    course.add(Started("a", "images", "data", "", (), None))
    course.add(Started("b", title, "train", "", (), None))
    progress = Progress("b", 10000, 20000, 10, 20, 0.1234, 3725.0)
    course.add(progress)
    rows.add_task(title, total=20000, completed=10000, now=position(progress), key="b")
    console.print(*rows.get_renderables(), sep="\n")
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert all(len(line) <= width for line in shown.splitlines())
    row, line, *_ = shown.splitlines()
    assert "1:02:05" in row
    assert "10000/20000 epoch 10/20" in row
    assert "loss 0.1234" in row or width < 80
    assert "…" in row
    assert line.startswith("stage 2 of 3, 0:00:00 elapsed, about 3:06:15 of")


FETCHING: list[Event] = [
    Started("f", "model.safetensors from hf://owner/a-repository-of-a-long-name", "fetch", "it is on a hub", (), None),
    *(Fetching("f", done * 700_000_000, 6_900_000_000) for done in range(10)),
    Finished("f", "model.safetensors", "fetch", 75.2, {"files": 1, "digest": "0123456789ab"}),
]


def test_a_transfer_at_80_columns() -> None:
    console = Console(width=80, force_terminal=True, color_system=None, file=io.StringIO(), legacy_windows=False)
    course = Course({"f": 0}, _Seconds())
    rows, last = _Display(console, course), FETCHING[-2]
    assert isinstance(last, Fetching)
    course.add(FETCHING[0])
    rows.add_task(
        "model.safetensors from hf://owner/repo", total=last.of, completed=last.done, now=position(last), key="f"
    )
    console.print(*rows.get_renderables(), sep="\n")
    assert isinstance(console.file, io.StringIO)
    row, line, *_ = console.file.getvalue().splitlines()
    assert max(len(row), len(line)) <= 80
    assert "model.safetensors from hf://owner" in row
    assert "6.3 GB of 6.9 GB" in row


def test_a_transfer_is_told_once_a_minute_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    seconds = _Seconds()

    def slowly() -> Iterator[Event]:
        for event in FETCHING:
            seconds.passed += 31
            yield event

    list(show(slowly(), Course({"f": 0}, seconds)))
    told = [line[20:] for line in capsys.readouterr().err.splitlines()]
    assert told[0] == "started  model.safetensors from hf://owner/a-repository-of-a-long-name: it is on a hub"
    assert told[1] == "fetching 1.4 GB of 6.9 GB; stage 1 of 1, 0:02:04 elapsed"
    assert len(told) == 6
    assert told[-1] == "done     model.safetensors in 0:01:15 (files 1, digest 0123456789ab)"


def test_a_transfer_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    list(show(FETCHING, Course({"f": 0})))
    list(show(FETCHING, Course({"f": 0}), as_json=True))
    shown = capsys.readouterr()
    assert "done     model.safetensors in 0:01:15" in shown.err
    events = [json.loads(line) for line in shown.out.splitlines()]
    assert events[1] == {"event": "fetching", "key": "f", "done": 0, "of": 6_900_000_000, "way": "fetching"}


def test_a_course_counts_stages_and_time() -> None:
    course = Course(STEPS, _Seconds())
    assert (course.left(), str(course)) == (None, "stage 1 of 4, 0:00:00 elapsed")
    for event in EVENTS[:_TENTH]:
        course.add(event)
    assert course.left_of("k1") == 30.0  # after step 10
    assert course.left() == 30.0 + 1000 * 1.0
    for event in EVENTS[_TENTH:]:
        course.add(event)
    assert course.left() == 1000.0
    assert str(course).startswith("stage 3 of 4")


def _side_by_side() -> tuple[Course, _Seconds]:
    """Two targets of 1000 steps on a base of 40, and what is made of them: two jobs."""
    steps = {"images": 0, "base": 40, "aoi": 1000, "rin": 1000, "samples": 0}
    graph = {"base": ["images"], "aoi": ["base"], "rin": ["base"], "samples": ["aoi", "rin"]}
    seconds = _Seconds()
    return Course(steps, seconds, 2, graph, {key: f"the {key}" for key in steps}), seconds


def test_a_course_of_two_jobs() -> None:
    course, seconds = _side_by_side()
    assert (course.waiting(), course.left()) == ("", None)
    course.add(Reused("images", "", "data", Made()))
    course.add(Started("base", "", "train", "", (), None))
    assert course.waiting() == "next: the aoi, which waits for the base"
    course.add(Progress("base", 20, 40, 1, 1, 0.5, 20.0))  # a second a step
    assert course.left() == 20 + 1000  # the base, then both at once
    assert str(course) == "stage 2 of 5, 1 running, 0:00:00 elapsed, about 0:17:00 of training left"
    course.add(Finished("base", "", "train", 40.0, {}))
    assert course.waiting() == "next: the aoi, which waits for another stage to end"
    for key in ("aoi", "rin"):
        course.add(Started(key, "", "train", "", (), None))
    assert course.waiting() == "next: the samples, which waits for the aoi, the rin"
    course.add(Progress("aoi", 500, 1000, 1, 1, 0.5, 500.0))
    course.add(Progress("rin", 100, 1000, 1, 1, 0.5, 900.0))
    seconds.passed = 100
    assert course.left() == 800
    assert str(course).startswith("stage 4 of 5, 2 running, 0:01:40 elapsed")
    course.add(Finished("aoi", "", "train", 600.0, {}))
    assert course.waiting() == "next: the samples, which waits for the rin"


def test_a_line_names_its_stage_where_there_are_several(capsys: pytest.CaptureFixture[str]) -> None:
    course, seconds = _side_by_side()

    def slowly() -> Iterator[Event]:
        for step in range(3):
            for key in ("aoi", "rin"):
                seconds.passed += 61
                yield Progress(key, step, 1000, 1, 1, None, None)

    list(show([Started(key, key, "train", "", (), None) for key in ("aoi", "rin")], course))
    list(show(slowly(), course))
    lines = [line.partition("training ")[2] for line in capsys.readouterr().err.splitlines() if "training" in line]
    assert lines[0] == "1/1000 epoch 1/1; the aoi; stage 2 of 5, 2 running, 0:03:03 elapsed"
    assert lines[1].startswith("1/1000 epoch 1/1; the rin; stage 2 of 5")


def test_what_waits_is_a_line_below_the_rows() -> None:
    console = Console(width=80, force_terminal=True, color_system=None, file=io.StringIO(), legacy_windows=False)
    course, _ = _side_by_side()
    course.add(Started("base", "", "train", "", (), None))
    console.print(*_Display(console, course).get_renderables(), sep="\n")
    assert isinstance(console.file, io.StringIO)
    lines = console.file.getvalue().splitlines()
    assert lines[-2:] == [
        "stage 1 of 5, 1 running, 0:00:00 elapsed",
        "next: the images, which waits for another stage to end",
    ]


CHECKS = (Check("white background", 32, 34, "pass"), Check("hair colour as asked", 2, 20, "fail", "one colour"))
ROWS = (Row("target", None, 1.0, 4, {"palette": 12.34, "look_3d": None}), Row("control", 3, 0.75, 4, {"palette": 9.0}))


def test_tables_are_aligned(capsys: pytest.CaptureFixture[str], snapshot: SnapshotAssertion) -> None:
    shown: list[Event] = [Gated("k", "aoi", "base", "fail", CHECKS), Measured("aoi", ROWS, "Use it")]
    list(show(shown, Course({})))
    lines = [line.partition(":")[2] if line[:2] == "20" else line for line in capsys.readouterr().err.splitlines()]
    assert "\n".join(line.rstrip() for line in lines[1:4] + lines[5:]) == snapshot


_SHARED: list[Event] = [
    Pulling("k0", "base aoi", "train", "s3://b/p", 1_500_000),
    Fetching("k0", 500_000, 1_500_000, "pulling"),
    Reused("k0", "base aoi", "train", Made(), "s3://b/p"),
    Pulling("k1", "target aoi", "train", "s3://b/p", 2_000_000),
    Damaged("k1", "target aoi", "train", "s3://b/p/x: the file is not there"),
    Pushing("k1", "target aoi", "train", "s3://b/p", 2_000_000),
    Fetching("k1", 1_000_000, 2_000_000, "pushing"),
    Pushed("k1", "target aoi", "train", "s3://b/p"),
    Unsent("k2", "pictures", "sample", "it refuses"),
]


def test_what_goes_to_a_shared_store_and_comes_from_it(capsys: pytest.CaptureFixture[str]) -> None:
    list(show(_SHARED, Course(STEPS)))
    assert [line[20:] for line in capsys.readouterr().err.splitlines()] == [
        "pulling  base aoi: 1.5 MB from s3://b/p",
        "reused   base aoi, from s3://b/p",
        "pulling  target aoi: 2.0 MB from s3://b/p",
        "damaged  target aoi: s3://b/p/x: the file is not there; it is made here, and sent anew",
        "pushing  target aoi: 2.0 MB to s3://b/p",
        "pushed   target aoi",
        "unsent   pictures: only this machine has it; it refuses",
    ]
    assert [position(event) for event in _SHARED if isinstance(event, Fetching)] == [
        "0.5 MB of 1.5 MB",
        "1.0 MB of 2.0 MB",
    ]


def test_a_row_is_there_while_files_are_on_their_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is gone afterwards."""
    displays: list[_Display] = []

    class Watched(_Display):
        def __init__(self, console: Console, course: Course) -> None:
            super().__init__(console, course)
            displays.append(self)

    monkeypatch.setattr(display, "_Display", Watched)
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    rows = [
        [f"{task.description}: {task.fields['now']}" for task in displays[0].tasks]
        for _ in display.displayed(_SHARED, console, Course(STEPS), verbose=False)
    ]
    coming = [["base aoi: pulling"], ["base aoi: 0.5 MB of 1.5 MB"], []]
    going = [["target aoi: pushing"], ["target aoi: 1.0 MB of 2.0 MB"], []]
    assert rows == [*coming, ["target aoi: pulling"], [], *going, []]
