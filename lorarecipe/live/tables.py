"""Tables of the gate and of the leak test: aligned, and coloured where there are colours."""

from __future__ import annotations

from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from lorarecipe import events
from lorarecipe.events import Event
from lorarecipe.language import in_context, translated
from lorarecipe.measures.leak import cells_of, titles_of

_COLOURS = {"pass": "green", "doubtful": "yellow", "fail": "red"}
#: what stands before the lines that follow a message: as much as its first word takes
_INDENT = " " * 9


def table_of(event: Event) -> Table | None:
    """Give the table that belongs to an event, if any."""
    match event:
        case events.Gated():
            return _gate(event)
        case events.Measured(rows=rows) if rows:
            return _leak(event)
        case _:
            return None


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for index, head in enumerate(heads):
        justify: JustifyMethod = "left" if index == 0 else "right"
        table.add_column(in_context(head, "column"), justify=justify, no_wrap=index == 0)
    return table


def _gate(event: events.Gated) -> Table:
    table = _table("check", "right", "of", "verdict")
    table.columns[0].header = f"{_INDENT}{table.columns[0].header}"
    for check in event.checks:
        verdict = Text(in_context(check.verdict, "verdict"), _COLOURS[check.verdict])
        if check.note:
            verdict.append(f" ({translated(check.note)})", "default")
        table.add_row(f"{_INDENT}{in_context(check.name, 'check')}", str(check.right), str(check.of), verdict)
    table.columns[-1].justify = "left"
    return table


def _leak(event: events.Measured) -> Table:
    # ten columns are as many as 80 hold, so a column that says "last" in every row is left out
    has_epochs = any(row.epoch for row in event.rows)
    table = _table("LoRA", *(["epoch"] if has_epochs else []), "weight", *titles_of(event.rows).values())
    for row in event.rows:
        epoch = [str(row.epoch or in_context("last", "epoch"))] if has_epochs else []
        table.add_row(in_context(row.arm, "arm"), *epoch, f"{row.weight:g}", *cells_of(row))
    return table
