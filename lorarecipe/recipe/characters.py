"""A list of characters: ``[[characters]]`` of a recipe, or a table in a file of its own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lorarecipe.errors import Fault, RecipeError, did_you_mean
from lorarecipe.recipe.lines import Lines, Override, Where
from lorarecipe.recipe.opening import content_of
from lorarecipe.recipe.overrides import key_of, value_of
from lorarecipe.recipe.words import keys_at

#: what one character has: the values that it puts over the rest of the recipe
Entry = tuple[Override, ...]
#: keys of a recipe that no character has of its own
_SHARED = ("format", "characters")
#: what programs write between the columns of a table
_SEPARATORS = ",;\t"


class FaultyList(RecipeError):
    """A list of characters with faults; ``entries`` are those without any, whose values are still to be judged."""

    def __init__(self, faults: Iterable[Fault], entries: Sequence[Entry]) -> None:
        super().__init__(tuple(faults))
        self.entries = entries


def characters_of(tables: Mapping[str, object], lines: Lines) -> list[Entry]:
    """Read ``[[characters]]`` of a recipe.

    Raises
    ------
    RecipeError
        When it is no list. ``FaultyList``, with every fault of it, but for those of single values, which are found when
        each recipe is validated.
    """
    listed, faults = tables["characters"], list[Fault]()
    if not isinstance(listed, list) or not listed:
        message = "expected [[characters]], a table for each, with a name and images"
        raise RecipeError((lines.fault(("characters",), message),))
    entries = []
    for index, character in enumerate(listed):
        where: Where = ("characters", index)
        if not isinstance(character, dict):
            faults.append(lines.fault(where, f"found {character!r}, expected a table with a name and images"))
            continue
        leaves = [(key, value) for key, value in _leaves(character, tables) if _is_known(key)]
        unknown = [key for key in character if not _is_known((key,))]
        wrong = [lines.fault((*where, key), f"found an unknown key{_did_you_mean(key)}") for key in unknown]
        label = str(character.get("name", index))
        entry = tuple(
            Override(_in_recipe(key), value, lines.path, lines.of((*where, *key)), (*where, *key), label=label)
            for key, value in leaves
        )
        if not unknown:  # one of them may be what is missing
            message = "the key is missing; write it here"
            wrong += (lines.fault((*where, key), message) for key in _missing(entry, tables))
        faults += wrong
        entries += [] if wrong else [entry]
    if faults:
        raise FaultyList(faults, entries)
    return entries


def characters_in(path: Path, tables: Mapping[str, object]) -> list[Entry]:
    """Read a table of characters: a line each, its columns ``name``, ``images`` and any keys of a recipe.

    Parameters
    ----------
    path
        The file, in UTF-8, its columns divided by commas, semicolons or tabs.
    tables
        The recipe's own tables.

    Raises
    ------
    RecipeError
        When it is no table, or with every fault of its columns. ``FaultyList``, with every fault of its rows, but for
        those of single values, which are found when each recipe is validated.
    """
    text = content_of(path, "a table with the columns name and images")
    rows = [*_rows(path, text)]
    if not rows:
        raise RecipeError((Fault(path, 1, "", "the file is empty, expected the columns name and images"),))
    (first, head), *rest = rows
    columns = [column.strip() for column in head]
    keys = [key_of(column) for column in columns]
    faults = [*_faults_of_columns(path, first, columns, keys)]
    if not rest:
        faults.append(Fault(path, first, "", "found no character, expected a line for each"))
    if faults:
        raise RecipeError(tuple(faults))
    entries = []
    for line, cells in rest:
        if len(cells) > len(columns):
            message = f"found {len(cells)} cells, expected {len(columns)}, as there are columns"
            faults.append(Fault(path, line, "", message))
            continue
        values, wrong = dict(zip(columns, cells, strict=False)), list[Fault]()
        label, entry = values["name"].strip() or str(line), list[Override]()
        for column, key, cell in zip(columns, keys, cells, strict=False):
            if not key or not cell.strip():
                continue
            try:
                value = cell.strip() if column in {"name", "images"} else value_of(cell.strip())
            except ValueError as problem:
                wrong.append(Fault(path, line, column, str(problem)))
                continue
            entry.append(Override(_in_recipe(key), value, path, line, (column,), label=label))
        wrong += (Fault(path, line, key, "the cell is empty; write it here") for key in _missing(entry, tables))
        faults += wrong
        entries += [] if wrong else [tuple(entry)]
    if faults:
        raise FaultyList(faults, entries)
    return entries


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """Give the rows that are not empty, each with its first line."""
    head = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(_SEPARATORS, key=head.count), strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as problem:
        raise RecipeError((Fault(path, line, "", f"not CSV: {problem}"),)) from problem


def _faults_of_columns(path: Path, line: int, columns: Sequence[str], keys: Sequence[Where | None]) -> Iterator[Fault]:
    for column, key in zip(columns, keys, strict=True):
        if columns.count(column) > 1:
            yield Fault(path, line, column, "found the column twice, expected it once")
        elif not key or not _is_known(key):
            message = f"found an unknown column{_did_you_mean(str(key[0]) if key else column)}"
            yield Fault(path, line, column, f"{message}; expected name, images or the path of a key")
    if "name" not in columns:
        yield Fault(path, line, "", "found no column name, expected one")


def _leaves(table: Mapping[str, object], over: object, where: Where = ()) -> Iterator[tuple[Where, object]]:
    """Give the values of a table and of the tables within it, each with its path; an empty table changes no other."""
    for key, value in table.items():
        below = over.get(key) if isinstance(over, dict) else None
        if isinstance(value, dict) and (value or isinstance(below, dict)):
            yield from _leaves(value, below, (*where, key))
        else:
            yield (*where, key), value


def _in_recipe(key: Where) -> Where:
    """Give the key of a recipe that a key of a character stands for."""
    return ("target", "images") if key == ("images",) else key


def _is_known(key: Where) -> bool:
    return key == ("images",) or (key[0] in keys_at(()) and key[0] not in _SHARED)


def _did_you_mean(word: str) -> str:
    return did_you_mean(word, ["images", *(key for key in keys_at(()) if key not in _SHARED)])


def _missing(entry: Iterable[Override], tables: Mapping[str, object]) -> Iterator[str]:
    """Name what a character lacks to be one."""
    given = {override.where[:2] for override in entry}
    target = tables.get("target")
    if ("name",) not in given:
        yield "name"
    forms = [("target", form) for form in ("images", "folders")]
    shared = isinstance(target, dict) and any(form in target for _, form in forms)
    if not shared and given.isdisjoint(forms):
        yield "images"
