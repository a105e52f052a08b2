"""Options that put values over the recipes that a command names."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
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


def words_of(overrides: Overrides) -> list[str]:
    """Give the words of the command line that stand for overrides."""
    return [word for one in overrides.sets for word in ("--set", one)]


def overrides_of(asked: Arguments) -> Overrides:
    """Give the overrides that a run was asked for."""
    from lorarecipe.recipe import Overrides

    return Overrides(sets=tuple(asked.sets))
