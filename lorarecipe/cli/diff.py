"""``lorarecipe diff``."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import as_json_option, run_argument, run_named, say, say_json

if TYPE_CHECKING:
    from lorarecipe.run import Run, RunRecord


@click.command("diff")
@run_argument("one")
@run_argument("other")
@as_json_option
def command(one: str, other: str, as_json: bool) -> None:
    """Say what differs between two runs.

    It compares versions, recipes, data, settings and results.
    """
    lines = list(_differences(run_named(one), run_named(other)))
    if as_json:
        say_json({"differences": lines})
        return
    say("\n".join(lines) if lines else "nothing differs")


def _differences(one: Run, other: Run) -> Iterator[str]:
    from lorarecipe.run import plan_changes

    parts: dict[str, Callable[[RunRecord], dict[str, str]]]
    parts = {"versions": lambda record: record.versions, "arguments": _arguments, "results": _results}
    for part, facts in parts.items():
        before, after = facts(one.record), facts(other.record)
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                yield f"{part}: {name}: {before.get(name, 'nothing')} -> {after.get(name, 'nothing')}"
    yield from (f"stages: {change}" for change in plan_changes(one.record.plan, other.record.plan))
    for old, new in zip(one.record.recipes, other.record.recipes, strict=False):
        texts = (old.text.splitlines(), new.text.splitlines())
        yield from difflib.unified_diff(*texts, old.path, new.path, lineterm="", n=0)


def _arguments(record: RunRecord) -> dict[str, str]:
    from lorarecipe.run import flat

    return flat(record.arguments.model_dump())


def _results(record: RunRecord) -> dict[str, str]:
    return {file.path.rpartition("/")[2]: file.sha256[:12] for files in record.files.values() for file in files}
