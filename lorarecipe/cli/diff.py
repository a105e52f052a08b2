"""``lorarecipe diff``."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from lorarecipe.cli.options import run_named, say

if TYPE_CHECKING:
    from lorarecipe.run import Run


@click.command("diff")
@click.argument("one")
@click.argument("other")
def command(one: str, other: str) -> None:
    """Say what differs between two runs: versions, recipes, data, settings, results."""
    lines = list(_differences(run_named(one), run_named(other)))
    say("\n".join(lines) if lines else "nothing differs")


def _differences(one: Run, other: Run) -> Iterator[str]:
    from lorarecipe.run import plan_changes

    for part, of in (("versions", _versions), ("arguments", _arguments), ("results", _results)):
        before, after = of(one.told), of(other.told)
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                yield f"{part}: {name}: {before.get(name, 'nothing')} -> {after.get(name, 'nothing')}"
    yield from (f"stages: {change}" for change in plan_changes(one.told["plan"], other.told["plan"]))
    for old, new in zip(one.told["recipes"], other.told["recipes"], strict=False):
        texts = (old["text"].splitlines(), new["text"].splitlines())
        yield from difflib.unified_diff(*texts, old["path"], new["path"], lineterm="", n=0)


def _versions(told: dict[str, Any]) -> dict[str, str]:
    return dict(told["versions"])


def _arguments(told: dict[str, Any]) -> dict[str, str]:
    from lorarecipe.run import flat

    return flat(told["arguments"])


def _results(told: dict[str, Any]) -> dict[str, str]:
    return {file["path"].rpartition("/")[2]: file["sha256"][:12] for files in told["files"].values() for file in files}
