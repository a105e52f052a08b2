"""``lorarecipe show``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import run_named, say

if TYPE_CHECKING:
    from lorarecipe.run import Run


@click.command("show")
@click.argument("run")
def command(run: str) -> None:
    """Tell of a run: its name, the end of it, or `last`."""
    say("\n".join(_lines(run_named(run))))


def _lines(run: Run) -> Iterator[str]:
    from lorarecipe.live import clock

    told = run.told
    yield f"{run.name}: {run.state}"
    yield f"began {told['began']}, ended {told.get('ended', '-')}"
    yield from (f"recipe {recipe['path']} (SHA-256 {recipe['sha256'][:12]})" for recipe in told["recipes"])
    yield "versions " + ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    names = {stage["key"]: stage["name"] for stage in told["plan"]}
    for stage in told["stages"]:
        took = f" in {clock(stage['seconds'])}" if "seconds" in stage else ""
        loss = f", loss {stage['loss']:.4f}" if stage.get("loss") is not None else ""
        yield f"{stage['outcome']:8} {names.get(stage['key'], stage['kind'])}  {stage['title']}{took}{loss}"
    for files in told["files"].values():
        yield from (f"result   {file['path']} (SHA-256 {file['sha256'][:12]})" for file in files)
    if "message" in told:
        yield told["message"]
    yield f"all of it is in {run.folder}"
