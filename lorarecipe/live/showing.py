"""Pass a run's events on, and show each."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime

from rich.console import Console

from lorarecipe import events
from lorarecipe.errors import clock, printable_lines
from lorarecipe.events import Event
from lorarecipe.language import translated
from lorarecipe.live.course import Course
from lorarecipe.live.display import displayed
from lorarecipe.live.tables import table_of
from lorarecipe.live.words import sentence

#: seconds between two lines on where a stage is
_BETWEEN = 60.0
#: columns of a table where there is no terminal
_WIDE = 120


def show(
    stream: Iterable[Event],
    course: Course,
    *,
    as_json: bool = False,
    quiet: bool = False,
    verbose: bool = False,
) -> Iterator[Event]:
    """Pass the events of a run on, showing each on standard error, or with ``as_json`` on standard output.

    Parameters
    ----------
    stream
        What ``execute`` yields.
    course
        Where the run is, which this keeps up to date.
    as_json
        Print each event as one line of JSON.
    quiet
        Show nothing but failures.
    verbose
        Show the exact command of each stage too.
    """
    console = Console(stderr=True)
    if as_json:
        yield from _json(stream)
    elif quiet:
        yield from _quiet(stream)
    elif draws_tables(console):
        yield from displayed(stream, console, course, verbose=verbose)
    else:
        yield from _lines(stream, course, verbose=verbose)


def draws_tables(console: Console) -> bool:
    """Tell whether a console is a terminal that moves its cursor."""
    return console.is_terminal and not console.is_dumb_terminal


def _json(stream: Iterable[Event]) -> Iterator[Event]:
    for event in stream:
        sys.stdout.write(json.dumps(event.as_json(), ensure_ascii=False) + "\n")
        sys.stdout.flush()
        yield event


def _quiet(stream: Iterable[Event]) -> Iterator[Event]:
    for event in stream:
        if isinstance(event, events.Failed | events.Skipped):
            sys.stderr.write(f"{printable_lines(translated(sentence(event)))}\n")
        yield event


def _lines(stream: Iterable[Event], course: Course, *, verbose: bool) -> Iterator[Event]:
    """Write a line for each event, and one a minute on where a stage is, each with the time of day."""
    console = Console(stderr=True, color_system=None, width=_WIDE)
    shown: dict[str, float] = {}
    for event in stream:
        course.add(event)
        text = printable_lines(sentence(event))
        if isinstance(event, events.Progress | events.Sampled | events.Fetching):
            if course.now() - shown.setdefault(event.key, course.now()) < _BETWEEN:
                text = ""
            else:
                shown[event.key] = course.now()
                left = course.left_of(event.key)
                text += f", {clock(left)} left" if left is not None else ""
                text += f"; {course.titles.get(event.key, event.key)}" if len(course.running) > 1 else ""
                text += f"; {course}"
        if text:
            sys.stderr.write(f"{datetime.now():%Y-%m-%d %H:%M:%S} {translated(text)}\n")
        if verbose and isinstance(event, events.Started) and event.command:
            sys.stderr.write(f"{printable_lines(shlex.join(event.command))}\n")
        sys.stderr.flush()
        if table := table_of(event):
            console.print(table)
        yield event
