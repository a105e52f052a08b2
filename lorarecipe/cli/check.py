"""``lorarecipe check``."""

from __future__ import annotations

from pathlib import Path

import click

from lorarecipe.cli.options import check_all, count, recipes


@click.command("check")
@recipes
def command(recipes: tuple[Path, ...]) -> int:
    """Check images and captions. Reads only; starts nothing.

    Findings are printed as path:line:col: CODE severity message; `lorarecipe rule CODE` explains one.
    """
    checked = check_all(recipes)
    findings = list(dict.fromkeys(finding for one in checked for finding in one.findings))
    for finding in findings:
        click.echo(str(finding))
    groups = {group.folder.resolve(): len(group.pictures) for one in checked for group in one.dataset.groups}
    errors = sum(finding.severity == "error" for finding in findings)
    ignored = len({finding for one in checked for finding in one.ignored})
    told = f"{count(errors, 'error')}, {count(len(findings) - errors, 'warning')}"
    told += f" in {count(sum(groups.values()), 'image')} of {count(len(checked), 'recipe')}"
    click.echo(f"{told}; {ignored} ignored" if ignored else told)
    return 3 if errors else 0
