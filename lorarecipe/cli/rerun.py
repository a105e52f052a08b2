"""``lorarecipe rerun``."""

from __future__ import annotations

from pathlib import Path

import click

from lorarecipe.cli.options import devices_option, jobs_option, planned, run_argument, run_named, sound, verbose_option


@click.command("rerun")
@run_argument("run")
@click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
@verbose_option
@jobs_option
@devices_option
@click.pass_context
def command(
    context: click.Context,
    run: str,
    as_json: bool,
    verbose: bool,
    jobs: int | None,
    devices: tuple[int, ...] | None,
) -> None:
    """Make a run again, if what it was made from is the same.

    RUN is its name, the end of it, or `last`. What the store has is reused: a run that was stopped goes on.
    """
    from lorarecipe.cli.overriding import overrides_of
    from lorarecipe.cli.run import command as run_command
    from lorarecipe.errors import CheckFailed
    from lorarecipe.run import changes_since

    before = run_named(run)
    asked = before.record.arguments
    recipes, allow = tuple(map(Path, asked.recipes)), tuple(asked.allow)
    overrides = overrides_of(asked)
    plan = planned(sound(recipes, allow, overrides), rehearse=asked.rehearse)[0]
    if changes := "\n".join(changes_since(before, plan)):
        raise CheckFailed(f"{changes}\nthis is no longer what {before.name} was made from; to make it: lorarecipe run")
    context.invoke(
        run_command,
        recipes=recipes,
        **vars(overrides),  # its fields are the options' names
        out=Path(asked.out),
        as_json=as_json,
        verbose=verbose,
        allow=allow,
        jobs=jobs,
        devices=devices,
        rehearse=asked.rehearse,
    )
