"""Show a run while it goes on: a live table on a terminal, plain lines elsewhere, JSON lines when asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from lorarecipe import events
from lorarecipe.errors import printable_lines
from lorarecipe.events import Event
from lorarecipe.measures.gate import gate_table
from lorarecipe.measures.leak import leak_table
from lorarecipe.run import StageRecord


def show(stream: Iterable[Event], *, as_json: bool) -> Iterator[Event]:
    """Pass the events on, showing each."""
    console = Console(stderr=True)
    if as_json:
        yield from _json(stream)
    elif console.is_terminal:
        yield from _live(stream, console)
    else:
        yield from _plain(stream)


def _json(stream: Iterable[Event]) -> Iterator[Event]:
    for event in stream:
        sys.stdout.write(json.dumps(event.as_json(), ensure_ascii=False) + "\n")
        sys.stdout.flush()
        yield event


def _plain(stream: Iterable[Event]) -> Iterator[Event]:
    last_shown: tuple[str, int] = ("", 0)
    for event in stream:
        if isinstance(event, events.Progress | events.Sampled):
            done, of = (event.step, event.steps) if isinstance(event, events.Progress) else (event.done, event.of)
            tenth = done * 10 // max(of, 1)
            if (event.key, tenth) != last_shown:  # ten lines a training
                last_shown = (event.key, tenth)
                drawn = f"{done} of {of} pictures"
                sys.stderr.write(f"  {position(event) if isinstance(event, events.Progress) else drawn}\n")
        else:
            sys.stderr.write(f"{sentence(event)}\n")
        sys.stderr.flush()
        yield event


def _live(stream: Iterable[Event], console: Console) -> Iterator[Event]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[now]}"),
    )
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=console, transient=False) as progress:
        for event in stream:
            match event:
                case events.Reused() | events.Waiting() | events.Started():
                    _begin_row(event, progress, tasks)
                case events.Progress():
                    task = tasks[event.key]
                    progress.update(task, total=event.steps, completed=event.step, now=position(event))
                case events.Sampled():
                    now_drawn = f"{event.done} of {event.of} pictures"
                    progress.update(tasks[event.key], total=event.of, completed=event.done, now=now_drawn)
                case events.Skipped() | events.Measured() | events.Gated() | events.Unpicked():
                    progress.console.print(escape(printable_lines(sentence(event))), highlight=False)
                case events.Pausing():
                    progress.console.print(f"[yellow]{escape(printable_lines(sentence(event)))}", highlight=False)
                case events.Paused():
                    progress.update(tasks[event.key], now=f"[yellow]paused after step {event.step}/{event.steps}")
                    progress.stop_task(tasks[event.key])
                case events.Finished():
                    now_done = f"[green]done in {clock(event.seconds)}"
                    progress.update(tasks[event.key], total=1, completed=1, now=now_done)
                case events.Failed():
                    progress.update(tasks[event.key], total=1, now=f"[red]{escape(first_line(event))}")
                    progress.stop_task(tasks[event.key])
                case _:
                    pass
            yield event


def _begin_row(
    event: events.Reused | events.Waiting | events.Started, progress: Progress, tasks: dict[str, TaskID]
) -> None:
    title = escape(event.title)
    if event.key not in tasks:
        tasks[event.key] = progress.add_task(title, total=None, now="")
    now = {"Reused": "[green]reused", "Waiting": "[yellow]waiting for another run"}
    progress.update(tasks[event.key], now=now.get(type(event).__name__, event.kind))
    if isinstance(event, events.Started):
        progress.console.print(f"[dim]{title}: {escape(printable_lines(event.why))}", highlight=False)
    if isinstance(event, events.Reused):
        progress.update(tasks[event.key], total=1, completed=1)


def rehearsed(stages: Sequence[StageRecord], again: Sequence[StageRecord], differences: Sequence[str]) -> str:
    """Say what a rehearsal proved and what it did not; ``again`` are the stages of the same run, made once more."""
    lines = ["", "rehearsed, in miniature and on the CPU:"]
    for stage in stages:
        proof = ", ".join(f"{name} {value}" for name, value in stage.proof.items())
        steps = f", steps {stage.steps}" if stage.steps is not None else ""
        lines.append(f"  {stage.title} ({proof}{steps})")
    reused = sum(stage.outcome == "reused" for stage in again)
    lines.append(f"  a second run reused {reused} of {len(again)} stages")
    lines.append("not rehearsed:")
    lines += [f"  {difference}" for difference in differences]
    lines.append(
        "  the trainer and the GPU that the recipe is for: its memory, its speed; and whether anything is learned"
    )
    return "\n".join(lines)


def position(event: events.Progress) -> str:
    """Epoch, step, loss and time left, as far as they are known."""
    parts = [f"epoch {event.epoch}/{event.epochs}", f"step {event.step}/{event.steps}"]
    if event.loss is not None:
        parts.append(f"loss {event.loss:.4f}")
    if event.seconds_left is not None:
        parts.append(f"{clock(event.seconds_left)} left")
    return "  ".join(parts)


def sentence(event: Event) -> str:
    """Say an event in a line."""
    match event:
        case events.Reused():
            return f"reused   {event.title}"
        case events.Waiting():
            return f"waiting  {event.title}: another run makes it"
        case events.Started():
            return f"started  {event.title}: {event.why}"
        case events.Pausing():
            return f"pausing  {event.title}: {event.why}; it ends after this step, and saves where it is"
        case events.Paused():
            return f"paused   {event.title} after step {event.step} of {event.steps}"
        case events.Finished():
            proof = ", ".join(f"{name} {value}" for name, value in event.proof.items())
            changed = "".join(f"; {file} changed meanwhile, so it will be made anew" for file in event.changed)
            return f"done     {event.title} in {clock(event.seconds)} ({proof}){changed}"
        case events.Skipped():
            return f"skipped  {event.title}: a stage before it has failed"
        case events.Failed():
            return f"ended    {event.title}: {first_line(event)}"
        case events.Measured():
            table = leak_table(event.rows)
            return f"measured {event.name}, on the original checkpoint:\n{table}\n{event.advice}".rstrip()
        case events.Gated():
            what = "base" if event.of == "base" else "checkpoint with the base"
            return f"gate     {what} {event.name}: {event.verdict}\n{gate_table(event.checks)}"
        case events.Unpicked():
            return f"pick     {event.name}: open {event.page}, mark pictures, put the list into [distill], run again"
        case events.Delivered():
            return f"result   {event.path}"
        case _:
            return ""


def first_line(event: events.Failed) -> str:
    """First line of the reason; the whole of it is the program's last word."""
    return event.message.partition("\n")[0]


def clock(seconds: float) -> str:
    """``75.2`` -> ``0:01:15``."""
    return str(timedelta(seconds=round(seconds)))
