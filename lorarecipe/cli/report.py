"""``lorarecipe report``."""

from __future__ import annotations

from pathlib import Path

import click

from lorarecipe.cli.options import run_argument, run_named, say


@click.command("report")
@run_argument("runs", nargs=-1)
@click.option(
    "--to",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    help="Where several results are put side by side.",
)
def command(runs: tuple[str, ...], to: Path) -> None:
    """Draw the pages of a run again, and one of several results.

    Each result of a run has its page beside it. Where there are several, of one run or of several, another page shows
    them side by side.

    RUN is a run's name, the end of it, or `last`.
    """
    from lorarecipe.errors import MachineNotReady
    from lorarecipe.files import home, write_atomic
    from lorarecipe.report import page, stories_of, write_report
    from lorarecipe.run import is_ours
    from lorarecipe.store import Store
    from lorarecipe.trainer import find_trainer

    named, store = [run_named(name) for name in runs], Store(home() / "store")
    trainers = {run.name: find_trainer(run.record.engine) for run in named}
    if len(named) == 1:
        for path in write_report(named[0], trainers[named[0].name], store):
            say(path)
        if len(named[0].record.results) < 2:
            return
    if to.exists() and not is_ours(to):
        raise MachineNotReady(f"{to} is not lorarecipe's; name another place: --to FILE")
    stories = [story for run in named for story in stories_of(run, trainers[run.name], store)]
    write_atomic(to, page(stories, to.absolute()))
    say(to)
