"""Open a recipe file: its tables as they are written, and where each key stands. Nothing is judged here but TOML."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.errors import Fault, RecipeError
from lorarecipe.files import read_file
from lorarecipe.recipe.decoding import text_of
from lorarecipe.recipe.escapes import mended
from lorarecipe.recipe.lines import Lines, locate

#: bytes of a recipe: a list of ten thousand images has one million
_LARGEST = 4_000_000
#: tables and arrays within each other; a recipe has four
DEEPEST = 32


@dataclass(frozen=True)
class Opened:
    """A recipe file as it is written."""

    lines: Lines
    tables: dict[str, object]
    escaped: tuple[Fault, ...] = ()
    """Strings that TOML cannot read for their backslashes; they are among the tables as they were meant."""


def open_recipe(path: Path, because: Lines | None = None) -> Opened:
    """Open one file; ``because`` is the recipe that names it as its base.

    Raises
    ------
    RecipeError
        When it is not there, or is not TOML.
    """
    text, escaped = _readable(path, content_of(path, "a recipe", because))
    tables, lines = _tables_of(path, text, escaped), locate(path, text)
    if lines.depth > DEEPEST:
        message = f"found {lines.depth} tables or arrays within each other, expected {DEEPEST} at most"
        raise RecipeError((*escaped, Fault(path, 1, "", message)))
    return Opened(lines, tables, escaped)


def content_of(path: Path, expected: str, because: Lines | None = None) -> str:
    """Give the text of a file that people write; ``expected`` says in words what it should be.

    Raises
    ------
    RecipeError
        When it is not there, or is not UTF-8.
    """
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise OSError(0, "not a file")
        content = read_file(path, _LARGEST)
    except OSError as problem:
        message = f"found {str(path)!r} ({problem.strerror}), expected {expected}"
        fault = because.fault(("base", "from"), message) if because else Fault(path, 1, "", message)
        raise RecipeError((fault,)) from problem
    return text_of(path, content)


def _readable(path: Path, text: str) -> tuple[str, tuple[Fault, ...]]:
    """Give a text that is no TOML for its backslashes alone as it was meant, so that its other faults are seen too."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        text, escaped = mended(text)
        return text, tuple(Fault(path, one.line, "", one.message) for one in escaped)
    return text, ()


def _tables_of(path: Path, text: str, escaped: tuple[Fault, ...]) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # a number of thousands of digits, tables a thousand deep
        line = re.search(r"at line (\d+)", str(problem))
        last = len(text.splitlines()) or 1
        fault = Fault(path, int(line[1]) if line else last, "", f"not TOML: {problem}")
        raise RecipeError((*escaped, fault)) from problem
