"""The display on a terminal: what is done as lines, and below them a row for each stage that is under way."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from lorarecipe import events
from lorarecipe.errors import clock, printable_lines
from lorarecipe.events import Event
from lorarecipe.language import translated
from lorarecipe.live.course import Course
from lorarecipe.live.tables import table_of
from lorarecipe.live.words import awaited, position, sentence

_STYLES = {
    events.Reused: "dim",
    events.Pulling: "dim",
    events.Pushing: "dim",
    events.Pushed: "dim",
    events.Started: "dim",
    events.Finished: "green",
    events.Failed: "red",
    events.Skipped: "red",
    events.Pausing: "yellow",
    events.Paused: "yellow",
    events.Unpicked: "yellow",
    events.Unsent: "yellow",
    events.Damaged: "yellow",
    events.Gated: "bold",
    events.Measured: "bold",
}
#: what the rows show
_IN_ROWS = events.Progress | events.Sampled | events.Fetching
#: what a stage does before its first step, picture or megabyte
_BEFORE = {events.Pulling: "pulling", events.Pushing: "pushing"}
_LOADING = {
    "fetch": "asking the hub",
    "train": "the trainer loads",
    "sample": "the trainer loads",
    "gate": "measuring",
    "leak": "measuring",
}


class _Left(TextColumn):
    """The time that a stage still needs, counted down."""

    def __init__(self, course: Course) -> None:
        super().__init__("", table_column=Column(min_width=7, justify="right", no_wrap=True))
        self._course = course

    def render(self, task: Task) -> Text:
        left = self._course.left_of(task.fields["key"])
        return Text(clock(left) if left is not None else "", "bold")


class _Display(Progress):
    """Rows of the stages under way, and below them where the whole run is."""

    def __init__(self, console: Console, course: Course) -> None:
        self._course = course
        # columns have fixed widths, so that a long title is cut and nothing else is
        super().__init__(
            SpinnerColumn("line", finished_text=" "),
            _Left(course),
            BarColumn(bar_width=10),
            TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
            TextColumn("{task.fields[now]}", table_column=Column(no_wrap=True, overflow="ellipsis", max_width=38)),
            console=console,
            expand=True,
            transient=True,
        )

    def get_renderables(self) -> Iterable[RenderableType]:
        yield self.make_tasks_table(self.tasks)
        for line in (str(self._course), self._course.waiting()):
            if line:
                yield Text(translated(line), "dim", no_wrap=True, overflow="ellipsis")


def displayed(stream: Iterable[Event], console: Console, course: Course, *, verbose: bool) -> Iterator[Event]:
    """Pass the events on, showing each on a terminal."""
    rows: dict[str, TaskID] = {}
    with _Display(console, course) as display:
        for event in stream:
            course.add(event)
            match event:
                case events.Waiting() | events.Pulling() | events.Pushing() | events.Started():
                    if event.key not in rows:
                        rows[event.key] = display.add_task(
                            escape(translated(event.title)), total=None, now="", key=event.key
                        )
                    before = _BEFORE.get(type(event), _LOADING.get(event.kind, event.kind))
                    now = awaited(event) if isinstance(event, events.Waiting) else before
                    display.update(rows[event.key], now=translated(now))
                case (
                    events.Progress(step=done, steps=of)
                    | events.Sampled(done=done, of=of)
                    | events.Fetching(done=done, of=of)
                ):
                    display.update(rows[event.key], total=of, completed=done, now=translated(position(event)))
                case (
                    events.Reused()
                    | events.Pushed()
                    | events.Unsent()
                    | events.Damaged()
                    | events.Finished()
                    | events.Failed()
                    | events.Paused()
                    | events.Skipped()
                ):
                    if event.key in rows:
                        display.remove_task(rows.pop(event.key))
                case _:
                    pass
            _print(event, display.console, verbose=verbose)
            yield event


def _print(event: Event, console: Console, *, verbose: bool) -> None:
    """Print the line of an event above the rows."""
    if isinstance(event, _IN_ROWS | events.Delivered) or not (text := sentence(event)):
        return
    console.print(Text(printable_lines(translated(text)), _STYLES.get(type(event), "")))
    if verbose and isinstance(event, events.Started) and event.command:
        console.print(Text(shlex.join(event.command), "dim"))
    if table := table_of(event):
        console.print(table)
