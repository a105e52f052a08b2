"""Several recipes from one file, before anything is validated.

Each character of a list and each point of a sweep becomes a recipe of its own, so nothing after this knows of them.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from unicodedata import normalize

from lorarecipe.errors import Fault, RecipeError
from lorarecipe.recipe.characters import Entry, FaultyList, characters_in, characters_of
from lorarecipe.recipe.lines import Override
from lorarecipe.recipe.naming import RULE, narrowed
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
    base: str | None = None
    """Name of the base, where it is written in the file itself."""


def versions_of(opened: Opened, overrides: Overrides) -> tuple[Opened, list[Version], tuple[Fault, ...]]:
    """Give the recipes that a file becomes, one where nothing asks for more, and the file without its list.

    A value that stands later counts: the file's own, then that of a character, of ``--set`` and of ``--sweep``. Where
    some characters of a list have faults, these faults come last, and the others become recipes all the same: what is
    wrong in their values is then reported together with the rest.

    Raises
    ------
    RecipeError
        With every fault of the list and of the options.
    """
    path, faults = opened.lines.path, list[Fault]()
    listed: tuple[Fault, ...] = ()
    entries: list[Entry] = []
    sets: tuple[Override, ...] = ()
    sweeps: list[tuple[Override, ...]] = []
    try:
        entries, listed = _entries(opened, overrides)
        name = opened.tables.get("name", "base")
        if entries and not (isinstance(name, str) and name and narrowed(name) == normalize("NFC", name)):
            faults.append(opened.lines.fault(("name",), f"found {name!r}, expected {RULE}"))
    except RecipeError as error:
        faults += error.faults
    try:
        sets = sets_of(overrides.sets, path)
    except RecipeError as error:
        faults += error.faults
    for text in overrides.sweeps:
        try:
            sweeps.append(tuple(_sweep(text, path)))
        except ValueError as problem:
            faults.append(Fault(path, 1, "", str(problem), f"--sweep {text}"))
    if (number := math.prod(map(len, sweeps))) > _MOST:
        message = f"found {number} points, expected {_MOST} at most; give fewer values"
        faults.append(Fault(path, 1, "", message, " ".join(f"--sweep {text}" for text in overrides.sweeps)))
    if faults:
        raise RecipeError((*faults, *listed))
    own = opened.tables.get("name", (narrowed(path.stem) or "base") if entries else None)
    each = [(*entry, *sets) for entry in entries] or [sets]
    versions = [_point(own, one, point) for one, point in product(each, product(*sweeps))]
    return (_without_list(opened) if entries else opened), versions, listed


def _entries(opened: Opened, overrides: Overrides) -> tuple[list[Entry], tuple[Fault, ...]]:
    """Read the characters of a list, in the recipe or beside it, and give the faults of the others."""
    listed = "characters" in opened.tables
    if listed and overrides.characters:
        message = f"found {overrides.characters} beside [[characters]] in {opened.lines.path}, expected one of them"
        raise RecipeError((Fault(opened.lines.path, 1, "", message, "--characters"),))
    try:
        if overrides.characters:
            return characters_in(overrides.characters, opened.tables), ()
        return (characters_of(opened.tables, opened.lines) if listed else []), ()
    except FaultyList as error:
        if not error.entries:
            raise
        return [*error.entries], error.faults


def _without_list(opened: Opened) -> Opened:
    """Give what a recipe says of all characters of its list."""
    tables = {key: value for key, value in opened.tables.items() if key != "characters"}
    tables.setdefault("target", {})
    return replace(opened, tables=tables)


def _point(own: object, overrides: tuple[Override, ...], point: Sequence[Override]) -> Version:
    """Give one point of a sweep; its name tells it from the others."""
    names = [own, *(one.value for one in overrides if one.where == ("name",))]
    name, base = names[-1], own if isinstance(own, str) else None
    if not point or not isinstance(name, str):
        return Version((*overrides, *point), base)
    last, name = point[-1], narrowed("-".join([name, *(one.label for one in point)]))
    return Version((*overrides, *point, Override(("name",), name, last.path, 1, ("name",), last.option)), base)


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
        yield Override(where, value, recipe, 1, where, f"--sweep {text}", f"{where[-1]}{shown}")


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
