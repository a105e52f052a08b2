"""``lorarecipe bake``."""

from __future__ import annotations

import click

from lorarecipe.cli.options import run_argument, run_named, say


@click.command("bake")
@run_argument("run")
@click.option("--weight", type=click.FloatRange(0, 4, min_open=True), help="The weight that becomes 1.0.")
@click.option("--epoch", type=click.IntRange(min=1), help="A kept epoch; left out, the last.")
def command(run: str, weight: float | None, epoch: int | None) -> None:
    """Write a LoRA whose weight 1.0 is the right one.

    Only alpha changes, and the file says so.

    RUN is a run's name, the end of it, or `last`. Without --weight, what the run's leak test advises is taken.
    """
    from lorarecipe.run import bake, results_of

    named = run_named(run)
    for folder in results_of(named):
        digests = {file.sha256 for file in named.record.files.get(folder.name, ())}
        baked = bake(folder, weight, epoch, digests)
        say(baked.path)
        say(f"at weight 1 it is {baked.source.name} at weight {baked.weight:g}; its metadata says so", err=True)
