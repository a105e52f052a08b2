"""``lorarecipe caption``."""

from __future__ import annotations

from pathlib import Path

import click

from lorarecipe.cli.options import recipes, say
from lorarecipe.errors import count


@click.command("caption")
@recipes
@click.option("--diff", "shown", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--replace", is_flag=True, help="Write captions that differ too; originals go to .originals beside them.")
def command(recipes: tuple[Path, ...], shown: bool, replace: bool) -> None:
    """Write captions from the names of images.

    Names are read by `captions = { pattern = "{zoom}_{view}" }` in the recipe's [base] or [target]. Base captions get
    the character's traits; target captions the closed list. What is written already is left, unless --replace is given.
    """
    from lorarecipe.dataset import scan
    from lorarecipe.mend import captions_from_names, diff, without_pattern, write
    from lorarecipe.recipe import load_all

    datasets = [scan(one) for one in load_all(recipes)]
    proposed = {change.path: change for one in datasets for change in captions_from_names(one)}
    for folder, phase in dict.fromkeys(skipped for one in datasets for skipped in without_pattern(one)):
        say(f"skipped {folder}: [{phase}] has no captions with a pattern", err=True)
    changes = [change for change in proposed.values() if not change.is_none]
    if shown:
        for change in changes:
            click.echo(diff(change))
        return
    written = [change for change in changes if change.before is None or replace]
    for change in written:
        kept = write(change)
        say(f"{change.path}" + (f" (the original is {kept})" if kept else ""))
    left = len(changes) - len(written)
    right = count(len(proposed) - len(changes), "caption")
    message = f"wrote {count(len(written), 'caption')}, found {right} as they should be"
    if left:
        message += f", left {left} that differ (--diff shows them, --replace writes them)"
    say(message, err=True)
