"""Where a key of a TOML file stands: the standard library's reader keeps no line numbers."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lorarecipe.errors import Fault

Where = tuple[str | int, ...]

_KEY = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_.\-\s])+?"""
_HEADER = re.compile(rf"\s*(\[\[?)({_KEY})\]")
_ASSIGNMENT = re.compile(rf"\s*({_KEY})\s*=")


@dataclass(frozen=True)
class Lines:
    """Line numbers (from 1) of the keys of one TOML file."""

    path: Path
    numbers: dict[Where, int] = field(repr=False)
    digest: str = ""
    """SHA-256 of the text."""

    def of(self, where: Where) -> int:
        """Line of a key, or of the nearest table round it; 1 when there is none."""
        while where and where not in self.numbers:
            where = where[:-1]
        return self.numbers.get(where, 1)

    def fault(self, where: Where, message: str) -> Fault:
        """Give a fault at a key of this file."""
        return Fault(self.path, self.of(where), dotted(where), message)


def dotted(where: Where) -> str:
    """``("base", "characters", 0, "images")`` -> ``base.characters[0].images``."""
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def locate(path: Path, text: str) -> Lines:
    """Find the keys of a TOML text that the standard library's reader has accepted."""
    numbers: dict[Where, int] = {}
    arrays: dict[Where, int] = {}
    table: Where = ()
    for number, statement in _statements(text):
        if header := _HEADER.match(statement):
            table = _indexed(_parts(header[2]), arrays)
            for end in range(1, len(table)):
                numbers.setdefault(table[:end], number)
            if header[1] == "[[":
                arrays[table] = arrays.get(table, -1) + 1
                numbers.setdefault(table, number)
                table = (*table, arrays[table])
            numbers.setdefault(table, number)
        elif key := _ASSIGNMENT.match(statement):
            where = (*table, *_parts(key[1]))
            for end in range(len(table) + 1, len(where) + 1):
                numbers.setdefault(where[:end], number)
    return Lines(path, numbers, hashlib.sha256(text.encode()).hexdigest())


def _parts(key: str) -> Where:
    """Parts of a dotted key, quotes and all, as the standard library reads them."""
    parts: list[str | int] = []
    value: object = tomllib.loads(f"{key} = 0")
    while isinstance(value, dict) and value:
        name, value = next(iter(value.items()))
        parts.append(name)
    return tuple(parts)


def _indexed(parts: Where, arrays: dict[Where, int]) -> Where:
    """Put the index of the latest element behind each array of tables on the way to a header's last part."""
    where: Where = ()
    for index, part in enumerate(parts):
        where = (*where, part)
        if index < len(parts) - 1 and where in arrays:
            where = (*where, arrays[where])
    return where


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield each statement's first line; lines inside a multi-line string or array are no statements."""
    lines = text.split("\n")
    start = 0
    while start < len(lines):
        yield start + 1, lines[start]
        end = start + 1
        while _is_open("\n".join(lines[start:end])) and end < len(lines):
            end += 1
        start = end


def _is_open(statement: str) -> bool:
    try:
        tomllib.loads(statement + "\n")
    except tomllib.TOMLDecodeError:
        return True
    return False
