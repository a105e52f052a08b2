"""``lorarecipe setup``."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from lorarecipe.language import translated

if TYPE_CHECKING:
    from lorarecipe.trainer.setup import Torch


@click.command("setup")
@click.option(
    "--torch", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Build of torch."
)
def command(torch: str) -> None:
    """Get sd-scripts and its environment.

    The pinned commit, a virtual environment of its own, and the tokenizers. Safe to repeat.
    LORARECIPE_SD_SCRIPTS and LORARECIPE_PYTHON name an existing checkout and interpreter instead;
    LORARECIPE_HOME is where all of it is kept.
    """
    from rich.console import Console

    from lorarecipe.trainer import find_trainer
    from lorarecipe.trainer.setup import set_up

    console = Console(stderr=True, highlight=False)
    with console.status(translated("looking")) as status:
        for step in set_up(find_trainer(), cast("Torch", torch)):
            console.print(translated(step), markup=False, soft_wrap=True)
            status.update(translated(step))
