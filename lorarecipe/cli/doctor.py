"""``lorarecipe doctor``."""

from __future__ import annotations

import click


@click.command("doctor")
def command() -> int:
    """Say what this machine lacks for training.

    Versions, GPU, disk, tokenizers; each lack with what to do about it. Ends with 4 where something lacks.
    """
    from lorarecipe.trainer import find_trainer
    from lorarecipe.trainer.doctor import examine

    findings = examine(find_trainer())
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        click.echo(f"{'ok  ' if finding.good else 'LACK'}  {finding.what:{width}}  {finding.found}")
        if finding.advice:
            click.echo(f"      {'':{width}}  -> {finding.advice}")
    return 0 if all(finding.good for finding in findings) else 4
