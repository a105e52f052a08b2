"""``lorarecipe run``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from lorarecipe.cli.options import allowed, recipes, sound


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
@allowed
@click.option("--rehearse", is_flag=True, help="Try every stage in miniature, on the CPU, into OUT/rehearsal.")
def command(recipes: tuple[Path, ...], out: Path, as_json: bool, allow: tuple[str, ...], rehearse: bool) -> None:
    """Check, then train base and target.

    Leaves OUT/<name>/<name>.safetensors with run.json beside it. A base that several recipes share is trained
    once; what was finished before is not made again.

    With --rehearse the same images and captions go through every stage on a checkpoint of a few million parameters
    that comes with lorarecipe: about a minute for a hundred images, before a GPU is rented.
    """
    from lorarecipe.files import home
    from lorarecipe.live import rehearsed, show
    from lorarecipe.plan import compile_plan, rehearsal_of
    from lorarecipe.run import execute, fold
    from lorarecipe.store import Store
    from lorarecipe.trainer import find_place

    checked = sound(recipes, allow)
    if rehearse:
        if all(one.dataset.checkpoint_weights for one in checked):
            compile_plan(checked)  # its faults are the real run's
        checked, differences = rehearsal_of(checked)
        out = out / "rehearsal"
    plan, store = compile_plan(checked), Store(home() / "store")
    place = find_place(plan.engine)
    with closing(execute(plan, place, store, out)) as events:
        record = fold(show(events, as_json=as_json))
    record.write(plan, out, allow)
    if rehearse:
        again = fold(execute(plan, place, store, out))
        click.echo(rehearsed(record, again, differences), err=True)
    if not as_json:
        for files in record.delivered.values():
            for file in files:
                click.echo(file["path"])
