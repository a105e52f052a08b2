"""``lorarecipe show``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import as_json_option, run_argument, run_named, say, say_json

if TYPE_CHECKING:
    from lorarecipe.run import Run


@click.command("show")
@run_argument("run")
@as_json_option
def command(run: str, as_json: bool) -> None:
    """Show one run: RUN is its name, the end of it, or `last`."""
    found = run_named(run)
    if as_json:
        record = found.record.model_dump(mode="json", exclude_unset=True)
        say_json(record | {"run": found.name, "state": found.state, "folder": str(found.folder)})
    else:
        say("\n".join(_lines(found)))


def _lines(run: Run) -> Iterator[str]:
    from lorarecipe.errors import clock

    record = run.record
    yield f"{run.name}: {run.state}"
    if record.arguments.rehearse:
        yield "This run is a rehearsal, in miniature and on the CPU: its LoRAs are not for use."
    yield f"began {record.began}, ended {record.ended or '-'}"
    yield from (f"recipe {recipe.path} (SHA-256 {recipe.sha256[:12]})" for recipe in record.recipes)
    yield from (f"set    {name}: {one}" for name, sets in record.sets.items() for one in sets)
    yield "versions " + ", ".join(f"{name} {version}" for name, version in record.versions.items())
    names = {stage.key: stage.name for stage in record.plan}
    for stage in record.stages:
        took = f" in {clock(stage.seconds)}" if stage.outcome in {"made", "reused"} else ""
        loss = f", loss {stage.loss:.4f}" if stage.loss is not None else ""
        yield f"{stage.outcome:8} {names.get(stage.key, stage.kind)}  {stage.title}{took}{loss}"
    for files in record.files.values():
        yield from (f"result   {file.path} (SHA-256 {file.sha256[:12]})" for file in files)
    if record.message:
        yield record.message
    yield f"all of it is in {run.folder}"
