"""``lorarecipe check``."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.formats import FORMATS, Report
from lorarecipe.cli.options import check_all, recipes, say
from lorarecipe.cli.overriding import with_lists
from lorarecipe.errors import count
from lorarecipe.language import translated

if TYPE_CHECKING:
    from watchfiles import Change

    from lorarecipe.recipe import Overrides
    from lorarecipe.rules import Checked

#: new objects after which Python looks for unreachable ones; with its own 700, a check of 10,000 images spends a tenth
#: of its time on that, and finds none
_OBJECTS = 100_000


@click.command("check")
@recipes
@with_lists
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option("--diff", "shown", is_flag=True, help="Show what --fix would write into captions.")
@click.option("--fix", "fixed", is_flag=True, help="Write what is certain; originals go to .originals beside them.")
@click.option(
    "--encoding", metavar="NAME", help="What captions are written in that are not UTF-8, for --fix or --diff."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("-v", "--verbose", is_flag=True, help="Name every finding, also of a kind that a folder has many of.")
@click.option("--watch", is_flag=True, help="Check again whenever a recipe, an image or a caption changes.")
def command(
    recipes: tuple[Path, ...],
    overrides: Overrides,
    form: str,
    shown: bool,
    fixed: bool,
    encoding: str | None,
    as_json: bool,
    verbose: bool,
    watch: bool,
) -> int:
    """Check images and captions. Starts nothing, and writes only with --fix.

    Findings are printed as path:line:col: CODE severity message; `lorarecipe rule CODE` explains one. What was
    measured of images is remembered in LORARECIPE_HOME, so that a second check takes no time.
    """
    form = "json" if as_json else form
    if watch and (shown or fixed or encoding or verbose or form != "text"):
        raise click.UsageError("--watch goes with no other option")
    if shown and form != "text":
        raise click.UsageError("--diff is for people; it goes with --format text")
    if encoding and not (shown or fixed):
        raise click.UsageError("--encoding goes with --fix or --diff")
    if encoding and not _is_known(encoding):
        raise click.BadParameter(f"{encoding!r} is no encoding that Python knows", param_hint="--encoding")
    gc.set_threshold(_OBJECTS)
    if watch:
        return _watch(recipes, overrides)
    checked: Sequence[Checked] = check_all(recipes, overrides)
    if shown or fixed:
        checked = _mended(recipes, overrides, checked, fixed=fixed, encoding=encoding)
    report = replace(_report(checked), verbose=verbose)
    _print(report, form)
    return 3 if report.errors else 0


def _report(checked: Sequence[Checked]) -> Report:
    findings = list(dict.fromkeys(finding for one in checked for finding in one.findings))
    ignored = {finding for one in checked for finding in one.ignored}
    folders = {group.folder.resolve(): len(group.pictures) for one in checked for group in one.dataset.groups}
    return Report(findings, len(ignored), sum(folders.values()), len(checked))


def _print(report: Report, form: str) -> None:
    """Print a report, on a terminal laid out for people."""
    if form == "text" and sys.stdout.isatty():
        from lorarecipe.cli.listing import print_findings

        print_findings(report)
    else:
        text = FORMATS[form](report)
        click.echo(translated(text) if form == "text" else text)


def _is_known(encoding: str) -> bool:
    """Tell whether a name is that of an encoding of text; Python lists others, such as zip."""
    try:
        return isinstance(b"".decode(encoding), str)
    except (LookupError, ValueError):
        return False


def _mended(
    recipes: tuple[Path, ...],
    overrides: Overrides,
    checked: Sequence[Checked],
    *,
    fixed: bool,
    encoding: str | None,
) -> Sequence[Checked]:
    """Show or write the fixes; the report is then of what is there."""
    from lorarecipe.dataset import plain
    from lorarecipe.mend import described, diff, fixes, write

    whole = frozenset(plain(tag) for one in checked for tag in one.dataset.recipe.tags)
    changes = fixes((finding for one in checked for finding in one.findings), whole, encoding)
    if not fixed:
        for change in changes:
            click.echo(diff(change))
        return checked
    for change in changes:
        say(f"{change.path}: mended; the original is {write(change)}", err=True)
        say(described(change), err=True)
    say(f"mended {count(len(changes), 'caption')}", err=True)
    return check_all(recipes, overrides)


def _watch(recipes: tuple[Path, ...], overrides: Overrides) -> int:
    """Print a report after each change, until Ctrl-C.

    Watching begins before a check does, so what is saved while it checks is seen after it.
    """
    from lorarecipe.errors import RecipeError

    watched = {path.parent for path in recipes}
    changes = _watching(watched)
    while True:
        try:
            checked = check_all(recipes, overrides)
            sources = {one.dataset.recipe.source.parent for one in checked}
            sources |= {one.dataset.recipe.base_lines.path.parent for one in checked}
            sources |= {overrides.characters.parent} if overrides.characters else set()
            folders = sources | {group.folder for one in checked for group in one.dataset.groups}
            if folders != watched:
                watched, changes = folders, _watching(folders)
                continue  # something may have been saved there before
            _print(_report(checked), "text")
            say(f"watching {count(len(folders), 'folder')}; Ctrl-C ends it", err=True)
        except RecipeError as error:  # is mended while we wait
            say(error)
        next(change for change in changes if change)
        say("")


def _watching(folders: set[Path]) -> Iterator[set[tuple[Change, str]]]:
    """Begin to watch folders; gives the changes since the last look, or none after half a second."""
    from watchfiles import watch

    changes = watch(*folders, recursive=False, raise_interrupt=True, yield_on_timeout=True, rust_timeout=500)
    next(changes)
    return changes
