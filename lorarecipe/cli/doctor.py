"""``lorarecipe doctor``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.folding import columns
from lorarecipe.cli.options import say, say_json, wrapped
from lorarecipe.cli.overriding import with_sets
from lorarecipe.language import translated

if TYPE_CHECKING:
    from lorarecipe.doctor import Finding
    from lorarecipe.recipe import Overrides

_MARKS = {"ok": "ok  ", "lack": "LACK", "note": "note"}


@click.command("doctor")
@click.argument("recipe", required=False, type=click.Path(path_type=Path, dir_okay=False), metavar="[RECIPE]")
@with_sets
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Folder of results, as for `run`.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.zip",
    help="Write a new archive for a bug report, without names, home folders and tokens.",
)
def command(recipe: Path | None, overrides: Overrides, out: Path, as_json: bool, bundle: Path | None) -> int:
    """Say what this machine lacks for training.

    With RECIPE, what matters to this recipe: its trainer, its device, the memory and the room that it needs. A line
    says ok, LACK (the recipe needs it) or note (the recipe does without it); each lack with what to do. Without RECIPE,
    a lack is only what every recipe needs. Ends with 0 when nothing lacks, else with 4.
    """
    from lorarecipe import doctor
    from lorarecipe.recipe import load_all

    if bundle and os.path.lexists(bundle):
        raise click.BadParameter(f"{bundle} is there already, and is not overwritten", param_hint="--bundle")
    loaded = load_all([recipe], overrides) if recipe else ()
    findings = doctor.examine(loaded, out)
    if as_json:
        say_json(doctor.as_json(recipe, findings))
    else:
        _show(findings)
    if bundle:
        files = [*doctor.write_bundle(bundle, loaded[0] if loaded else None, findings)]
        say(f"{bundle} holds, without names, home folders and tokens:", err=as_json)
        for name, size in files:
            say(f"  {name}  {size:,} bytes", err=as_json)
        say("Read it before you send it.", err=as_json)
    return 0 if doctor.is_ready(findings) else 4


def _show(findings: tuple[Finding, ...]) -> None:
    titles = [translated(finding.what) for finding in findings]
    width = max(map(columns, titles))
    for title, finding in zip(titles, findings, strict=True):
        found = translated(finding.found).replace("\n", f"\n      {'':{width}}  ")
        padded = title + " " * (width - columns(title))
        say(wrapped(f"{_MARKS[finding.state]}  {padded}  {found}", width + 8))
        if finding.advice:
            say(wrapped(f"      {'':{width}}  -> {translated(finding.advice)}", width + 11))
