"""Write a recipe as TOML that people read: tables in their documented order, with comments.

The reader is the other half (``loading.py``): what ``recipe_text`` gives, ``tomllib`` reads back as it was given.
"""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import tomli_w

from lorarecipe.recipe.lines import Where, dotted
from lorarecipe.recipe.words import keys_at

#: what editors with a TOML language server (taplo, Even Better TOML) find the recipe's schema by
SCHEMA = "#:schema ./lorarecipe.schema.json"
_WIDTH = 120
#: tables within a table that have a header of their own, however short they are
_HEADED = ("training", "gate")
#: the schema as a file, as ``lorarecipe schema`` prints it
_FILE = Path(__file__).with_name("lorarecipe.schema.json")


def write_recipe(path: Path, text: str) -> None:
    """Write a recipe into a new file, and the schema for editors beside it, unless one is there.

    Raises
    ------
    FileExistsError
        When there is a file already; it is left as it is.
    """
    content = text.encode()  # what is no text is found before the file is there
    with path.open("xb") as file:
        file.write(content)
    with suppress(FileExistsError), path.with_name(_FILE.name).open("xb") as file:
        file.write(_FILE.read_bytes())


def relative_path(file: Path, folder: Path) -> str:
    """Write the path of a file for a recipe in a folder: from there, with ``/``; of another drive, the whole of it."""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except (OSError, ValueError):
        return file.as_posix()


def recipe_text(
    tables: Mapping[str, object], *, comments: Mapping[str, str] | None = None, notes: Sequence[str] = ()
) -> str:
    """Give the text of a recipe file.

    Parameters
    ----------
    tables
        The recipe's keys and tables, nested as in the file: ``{"name": "aoi", "target": {"training": {"rank": 16}}}``.
        Keys are put into their documented order, keys that no recipe has stay behind them; a key whose value is None
        is left out. Values are texts, numbers, truth values, lists and mappings.
    comments
        A comment for a key, by the key's dotted name (``"target.training.rank"``, ``"base.characters[0].images"``): it
        stands behind the value where it fits into the line, and above it otherwise. The comment of a table stands below
        its header. A comment of several lines becomes several lines, so that it can hold keys to be filled in.
    notes
        What the file begins with, below the line for editors: each a paragraph.

    Examples
    --------
    >>> print(recipe_text({"name": "aoi", "base": {}}, comments={"base": 'from = "base.toml"'}, notes=["Begun."]))
    #:schema ./lorarecipe.schema.json
    # Begun.
    <BLANKLINE>
    name = "aoi"
    <BLANKLINE>
    [base]
    # from = "base.toml"
    <BLANKLINE>
    """
    head = [SCHEMA, *(line for note in notes for line in _comment(_printable(note)))]
    body = [*_table((), tables, {key: _printable(comment) for key, comment in (comments or {}).items()})]
    return "\n".join([*head, *([""] if notes and body[:1] != [""] else []), *body]) + "\n"


def _table(where: Where, table: Mapping[str, object], comments: Mapping[str, str]) -> Iterable[str]:
    """Give a table's own keys, and then the tables within it: a key below their headers would be theirs."""
    own: list[str] = []
    inner: list[str] = []
    for name in _in_order(where, table):
        at, value = (*where, name), table[name]
        if isinstance(value, Mapping) and _has_header(at, value, comments):
            inner += _headed(at, value, comments, "[{}]")
        elif isinstance(value, list | tuple) and value and all(isinstance(one, Mapping) for one in value):
            inner += (
                line for index, one in enumerate(value) for line in _headed((*at, index), one, comments, "[[{}]]")
            )
        else:
            own += _line(f"{_key(name)} = {toml_value(value)}", comments.get(dotted(at), ""))
    yield from own
    yield from inner


def _headed(where: Where, table: Mapping[str, object], comments: Mapping[str, str], form: str) -> Iterable[str]:
    header = form.format(".".join(_key(part) for part in where if isinstance(part, str)))
    below = [*_comment(comments.get(dotted(where), "")), *_table(where, table, comments)]
    # a table that holds nothing but tables needs no header
    yield from below if below[:1] == [""] and form == "[{}]" else ["", header, *below]


def _has_header(where: Where, table: Mapping[str, object], comments: Mapping[str, str]) -> bool:
    """Tell whether a table stands below a header, or within the line of its key."""
    if len(where) == 1 or where[-1] in _HEADED:
        return True
    is_commented = any(key.startswith(f"{dotted(where)}.") for key in comments)
    return is_commented or len(f"{_key(str(where[-1]))} = {toml_value(table)}") > _WIDTH


def _in_order(where: Where, table: Mapping[str, object]) -> list[str]:
    documented = keys_at(where)
    named = [name for name in table if table[name] is not None]
    return sorted(named, key=lambda name: documented.index(name) if name in documented else len(documented))


def _line(line: str, comment: str) -> Iterable[str]:
    if not comment:
        return [line]
    if "\n" not in comment and "\n" not in line and len(line) + len(comment) + 3 <= _WIDTH:
        return [f"{line} # {comment}"]
    return [*_comment(comment), line]


def _printable(text: str) -> str:
    """Leave out what TOML forbids in a comment."""
    lines = ("".join(sign for sign in line.expandtabs(4) if sign.isprintable()) for line in text.splitlines())
    return "\n".join(line.rstrip() for line in lines)


def _comment(text: str) -> list[str]:
    lines = (line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, _WIDTH - 2) or [""])
    return [f"# {line}".rstrip() for line in lines] if text else []


def toml_key(where: Where) -> str:
    """Write the path of a key as TOML has it, an index of a list as a number."""
    return ".".join(str(part) if isinstance(part, int) else _key(part) for part in where)


def _key(name: str) -> str:
    return tomli_w.dumps({name: 0}).removesuffix(" = 0\n")


def toml_value(value: object) -> str:
    """Write a value as TOML has it."""
    match value:
        case Mapping():
            pairs = [f"{_key(name)} = {toml_value(inner)}" for name, inner in value.items() if inner is not None]
            return "{ " + ", ".join(pairs) + " }" if pairs else "{}"
        case list() | tuple():
            items = [toml_value(item) for item in value]
            line = "[" + ", ".join(items) + "]"
            has_tables = any("{" in item for item in items)
            return line if len(line) <= _WIDTH - 20 or has_tables else "[\n    " + ",\n    ".join(items) + ",\n]"
    return tomli_w.dumps({"key": value}).removeprefix("key = ").removesuffix("\n")
