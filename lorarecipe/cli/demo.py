"""``lorarecipe demo``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from lorarecipe.cli.options import say


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
def command(folder: Path) -> None:
    """Write the demo into FOLDER.

    The demo is recipes, renders and a small checkpoint. FOLDER is the current one by default. The renders show five
    base characters and two targets: 3D look, white background, upright, front and back, two zooms, each picture with
    its caption. The checkpoint is a Stable Diffusion 1 in miniature that trains on a CPU.
    """
    from lorarecipe.demo import foreign_files, write_kit

    if foreign := foreign_files(folder):
        raise click.BadParameter(
            f"{foreign[0]} is there and is not what the demo writes; name another folder, or move the file away",
            param_hint="FOLDER",
        )
    recipes = write_kit(folder)
    for recipe in recipes:
        say(recipe)
    say(f"Next, run the whole method in miniature: {shlex.join(['lorarecipe', 'run', str(recipes[0])])}", err=True)
