"""``lorarecipe run``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from lorarecipe.cli.options import plan_all, recipes


@click.command("run")
@recipes
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Folder of results.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
def command(recipes: tuple[Path, ...], out: Path, as_json: bool) -> None:
    """Check, then train base and target.

    Leaves OUT/<name>/<name>.safetensors with run.json beside it. A base that several recipes share is trained
    once; what was finished before is not made again.
    """
    from lorarecipe.files import home
    from lorarecipe.live import show
    from lorarecipe.run import execute, fold
    from lorarecipe.store import Store
    from lorarecipe.trainer import find_place

    plan = plan_all(recipes)
    with closing(execute(plan, find_place(plan.engine), Store(home() / "store"), out)) as events:
        record = fold(show(events, as_json=as_json))
    record.write(plan, out)
    if not as_json:
        for files in record.delivered.values():
            for file in files:
                click.echo(file["path"])
