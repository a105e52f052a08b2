"""``lorarecipe demo``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("demo")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("recipes/renders/demo"))
def command(folder: Path) -> None:
    """Render the demo's characters into FOLDER, where recipes/demo.toml looks for them.

    Five base characters and two targets: 3D look, white background, upright, front and back, two zooms, each
    picture with its caption. What is there is drawn again, the same.
    """
    from lorarecipe.demo import foreign_files, render_all

    if foreign := foreign_files(folder):
        raise click.BadParameter(f"found {foreign[0]}, which is not the demo's; expected another folder")
    for character in render_all(folder):
        click.echo(character)
