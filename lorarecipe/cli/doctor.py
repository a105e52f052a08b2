"""``lorarecipe doctor``."""

from __future__ import annotations

import click


@click.command("doctor")
def command() -> int:
    """Say what this machine has for training, and what to do about each lack."""
    from lorarecipe.trainer import find_place
    from lorarecipe.trainer.doctor import examine

    findings = examine(find_place())
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        click.echo(f"{'ok  ' if finding.good else 'LACK'}  {finding.what:{width}}  {finding.found}")
        if finding.advice:
            click.echo(f"      {'':{width}}  -> {finding.advice}")
    return 0 if all(finding.good for finding in findings) else 4
