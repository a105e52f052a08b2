"""Options that put values over the recipes that a command names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from lorarecipe.recipe import Overrides
    from lorarecipe.run import Arguments


def with_sets(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command `--set`; what it was given comes to it as ``overrides``."""

    @wraps(command)
    def collected(*, sets: tuple[str, ...] = (), **given: Any) -> object:  # noqa: ANN401 - the command's own
        from lorarecipe.recipe import Overrides

        return command(overrides=Overrides(sets=sets), **given)

    return click.option(
        "--set",
        "sets",
        multiple=True,
        metavar="KEY=VALUE",
        help="Put another value over a recipe's, as target.training.epochs=12. May be given several times.",
    )(collected)


def with_lists(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command `--set`, and what makes several recipes of one; all of it comes to it as ``overrides``."""

    @wraps(command)
    def collected(
        *,
        overrides: Overrides,
        sweeps: tuple[str, ...] = (),
        characters: Path | None = None,
        only: tuple[str, ...] = (),
        **given: Any,  # noqa: ANN401
    ) -> object:
        if characters and len(given["recipes"]) > 1:
            raise click.UsageError("--characters goes with one recipe")
        return command(overrides=replace(overrides, sweeps=sweeps, characters=characters, only=only), **given)

    sweep = click.option(
        "--sweep",
        "sweeps",
        multiple=True,
        metavar="KEY=V1,V2,...",
        help="Make one result for each of several values of a key; of several --sweep, for each combination.",
    )
    characters = click.option(
        "--characters",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE.csv",
        help="Make one result for each line of a table with the columns name, images and any keys of a recipe.",
    )
    only = click.option(
        "--only",
        multiple=True,
        metavar="NAME",
        help="Leave out all results but the one of this name. May be given several times.",
    )
    return with_sets(sweep(characters(only(collected))))


def words_of(overrides: Overrides) -> list[str]:
    """Give the words of the command line that stand for overrides."""
    table = (str(overrides.characters),) if overrides.characters else ()
    options = (
        ("--set", overrides.sets),
        ("--sweep", overrides.sweeps),
        ("--characters", table),
        ("--only", overrides.only),
    )
    return [word for option, texts in options for one in texts for word in (option, one)]


def overrides_of(asked: Arguments) -> Overrides:
    """Give the overrides that a run was asked for."""
    from lorarecipe.recipe import Overrides

    characters = Path(asked.characters) if asked.characters else None
    return Overrides(sets=tuple(asked.sets), sweeps=tuple(asked.sweeps), characters=characters, only=tuple(asked.only))
