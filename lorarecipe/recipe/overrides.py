"""What the command line puts over recipes: keys and values, ``--set KEY=VALUE``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lorarecipe.errors import Fault, RecipeError
from lorarecipe.recipe.lines import Lines, Override, Where, dotted, locate
from lorarecipe.recipe.opening import DEEPEST

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEY = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*")


@dataclass(frozen=True)
class Overrides:
    """What is put over each recipe that a command names, as it was written."""

    sets: tuple[str, ...] = ()
    """Each ``KEY=VALUE``."""
    sweeps: tuple[str, ...] = ()
    """Each ``KEY=V1,V2``: a recipe becomes one for each point of their product."""
    characters: Path | None = None
    """A table of characters, of each of which a recipe becomes one."""
    only: tuple[str, ...] = ()
    """Names of the results that are meant; all of them where it is empty."""


NONE = Overrides()


def key_of(text: str) -> Where | None:
    """Read the path of a key, as TOML has it; None where it is none."""
    if not _KEY.fullmatch(text):
        return None
    parts = re.findall(_PART, text)
    try:
        return tuple(tomllib.loads(f"part = {part}")["part"] if part[0] in "\"'" else part for part in parts)
    except ValueError:  # what stands behind a backslash is no escape
        return None


def value_of(text: str) -> object:
    """Read a value: what is no TOML is a text, so that a word needs no quotes.

    Raises
    ------
    ValueError
        When there is none, or one with too many tables or arrays within each other.
    """
    if not text.strip():
        raise ValueError("found no value, expected KEY=VALUE")
    written = f"key = {text}"
    try:
        tables = tomllib.loads(written)
    except (ValueError, RecursionError):
        return text
    if tables.keys() != {"key"}:
        return text
    if (depth := locate(Path(), written).depth) > DEEPEST:
        raise ValueError(f"found {depth} tables or arrays within each other, expected {DEEPEST} at most")
    return tables["key"]


def sets_of(texts: Sequence[str], recipe: Path) -> tuple[Override, ...]:
    """Read what ``--set`` was given.

    Raises
    ------
    RecipeError
        With every fault of it.
    """
    found, faults = list[Override](), list[Fault]()
    for text in texts:
        option = f"--set {text}"
        try:
            where, value = split(text)
            found.append(Override(where, value_of(value), recipe, 1, where, option))
        except ValueError as problem:
            faults.append(Fault(recipe, 1, "", str(problem), option))
    if faults:
        raise RecipeError(tuple(faults))
    return tuple(found)


def split(text: str) -> tuple[Where, str]:
    """Split ``KEY=VALUE``, where a quoted part of the key may hold ``=`` too.

    Raises
    ------
    ValueError
        When it is none.
    """
    found = _KEY.match(text)
    where = key_of(found[1]) if found and text[found.end() : found.end() + 1] == "=" else None
    if not found or not where or len(where) > DEEPEST:
        raise ValueError("expected KEY=VALUE, where KEY is the path of a key, as target.training.epochs")
    return where, text[found.end() + 1 :]


def put_over(
    tables: dict[str, object], overrides: Sequence[Override], lines: Lines
) -> tuple[dict[str, object], Lines, list[Fault]]:
    """Give a recipe's tables with other values in them, the lines that know of these, and what cannot be put."""
    tables, faults, known = deepcopy(tables), list[Fault](), list[Override]()
    for override in overrides:
        try:
            where = _put(tables, override)
            known.append(replace(override, where=where, key=where if override.option else override.key))
        except ValueError as problem:
            faults.append(override.fault(override.where, str(problem)))
    return tables, replace(lines, overrides=tuple(known)), faults


def _put(tables: dict[str, object], override: Override) -> Where:
    """Put a value into tables, and give its key with the indices of lists as numbers."""
    if override.where[0] == "characters":
        raise ValueError(
            "found a key of [[characters]], expected one that each character's recipe has, as target.repeats"
        )
    if override.where[0] == "target" and "target" not in tables:
        raise ValueError(f"found no [target] in {override.path}, expected the recipe of a character")
    at: Any = tables
    where: Where = ()
    for part in override.where[:-1]:
        where = (*where, _within(at, part, where))
        at = at.setdefault(part, {}) if isinstance(at, dict) else at[where[-1]]
    last = _within(at, override.where[-1], where)
    at[last] = deepcopy(override.value)
    return (*where, last)


def _within(table: object, part: str | int, where: Where) -> str | int:
    """Give the key or the index that a part of a path means in a table or a list."""
    if isinstance(table, dict):
        return part
    if not isinstance(table, list):
        raise ValueError(f"found {dotted(where)}, which is no table, expected a table to set {part!r} in")
    if not (isinstance(part, int) or part.isdecimal()) or not int(part) < len(table):
        raise ValueError(f"found {part!r}, expected an index of {dotted(where)}: 0 to {len(table) - 1}")
    return int(part)
