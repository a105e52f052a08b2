"""Write the page of a run beside each of its results, and again while the run goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from lorarecipe.events import Event
from lorarecipe.files import write_atomic
from lorarecipe.report.pages import page
from lorarecipe.report.story import Story, stories, trainings_of
from lorarecipe.run import REPORT, Run, is_ours
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, logged_curves

#: seconds between two pages at the least, and times what the last one took: so they take a fiftieth of the time at most
_APART, _TIMES = 30.0, 50


def write_report(run: Run, trainer: Installation, store: Store) -> list[Path]:
    """Write ``report.html`` beside every result of a run, as far as it is."""
    written = []
    for story in stories_of(run, trainer, store):
        path = story.folder / REPORT
        if not path.exists() or is_ours(path):
            with suppress(OSError):  # the run itself reports a full disk
                write_atomic(path, page([story], path))
                written.append(path)
    return written


def stories_of(run: Run, trainer: Installation, store: Store) -> list[Story]:
    """Describe a run's results, with the curves of its trainings."""
    folders = {key: store.find(name) or store.attempt(name) for key, name in trainings_of(run).items()}
    return stories(run, logged_curves(trainer, folders), store.root)


def refreshed(events: Iterable[Event], run: Run, trainer: Installation, store: Store) -> Iterator[Event]:
    """Pass a run's events on, and write its pages at times while it goes on."""
    due = time.monotonic() + _APART
    for event in events:
        yield event
        if (start := time.monotonic()) > due:
            write_report(run, trainer, store)
            end = time.monotonic()
            due = end + max(_APART, _TIMES * (end - start))
