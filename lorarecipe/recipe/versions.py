"""Several recipes from one file: each point of a sweep is a recipe of its own, before anything is validated."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from lorarecipe.errors import Fault, RecipeError
from lorarecipe.recipe.lines import Override
from lorarecipe.recipe.naming import narrowed
from lorarecipe.recipe.opening import Opened
from lorarecipe.recipe.overrides import Overrides, sets_of, split, value_of
from lorarecipe.recipe.writing import toml_value

#: points of a sweep; each is a training
_MOST = 100
#: between the values of a sweep: a comma that stands in no quotes and no brackets
_VALUE = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|\[[^\[\]]*\]|\{[^{}]*\}|[^,])+""")


@dataclass(frozen=True)
class Version:
    """One of the recipes that a file becomes."""

    overrides: tuple[Override, ...]
    own: str | None = None
    """What the file itself is called, where the name of the recipe is another."""


def versions_of(opened: Opened, overrides: Overrides) -> list[Version]:
    """Give the recipes that a file becomes, one where nothing asks for more.

    Raises
    ------
    RecipeError
        With every fault of the options.
    """
    path, faults = opened.lines.path, list[Fault]()
    sets: tuple[Override, ...] = ()
    sweeps: list[tuple[Override, ...]] = []
    try:
        sets = sets_of(overrides.sets, path)
    except RecipeError as error:
        faults += error.faults
    for text in overrides.sweeps:
        try:
            sweeps.append(tuple(_sweep(text, path)))
        except ValueError as problem:
            faults.append(Fault(path, 0, "", str(problem), f"--sweep {text}"))
    if (number := math.prod(map(len, sweeps))) > _MOST:
        message = f"found {number} points, expected {_MOST} at most; give fewer values"
        faults.append(Fault(path, 0, "", message, " ".join(f"--sweep {text}" for text in overrides.sweeps)))
    if faults:
        raise RecipeError(tuple(faults))
    names = [opened.tables.get("name"), *(one.value for one in sets if one.where == ("name",))]
    own = names[-1] if isinstance(names[-1], str) else None
    return [_point(own, sets, point) for point in product(*sweeps)]


def _point(own: str | None, overrides: tuple[Override, ...], point: Sequence[Override]) -> Version:
    """Give one point of a sweep; its name tells it from the others."""
    if not point or own is None:
        return Version((*overrides, *point))
    name = narrowed("-".join([own, *(one.label for one in point)]))
    last = point[-1]
    return Version((*overrides, *point, Override(("name",), name, last.path, 0, ("name",), last.option)), own)


def _sweep(text: str, recipe: Path) -> Iterator[Override]:
    """Read ``KEY=V1,V2``.

    Raises
    ------
    ValueError
        When it is none.
    """
    where, written = split(text)
    for value in _values(written):
        shown = value if isinstance(value, str) else toml_value(value)
        yield Override(where, value, recipe, 0, where, f"--sweep {text}", f"{where[-1]}{shown}")


def _values(text: str) -> list[object]:
    """Read values that are divided by commas; words need no quotes."""
    try:
        tables = tomllib.loads(f"key = [{text}]")
    except (ValueError, RecursionError):
        tables = {}
    if tables.keys() == {"key"} and tables["key"]:
        value_of(f"[{text}]")  # it may not be too deep
        return list(tables["key"])
    return [value_of(part.strip()) for part in _VALUE.findall(text) or [text]]
