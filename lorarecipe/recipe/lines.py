"""Where a key of a TOML file stands: the standard library's reader keeps no line numbers."""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from lorarecipe.errors import Fault

Where = tuple[str | int, ...]

#: each is matched where it must begin, and walks over a text once
_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?""""{0,2}'
    r"|'''.*?''''{0,2}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^\[\]{}\"'#\n]+|#[^\n]*")


@dataclass(frozen=True)
class Override:
    """A value that is put over a recipe's own, and where it was written."""

    where: Where
    """Key of the recipe."""
    value: object
    path: Path
    line: int
    key: Where
    """What the key is called where it was written."""
    option: str = ""
    """The option of the command line that it was written in, if any."""
    label: str = ""
    """What distinguishes the recipe that it makes from the others of the same file."""

    def fault(self, where: Where, message: str) -> Fault:
        """Give a fault at a key of the recipe that is this one or below it, or stands in a table that it made."""
        own = len(self.where)
        inside = where[:own] == self.where
        if self.option:
            return Fault(self.path, self.line, "" if where == self.where else dotted(where), message, self.option)
        return Fault(self.path, self.line, dotted((*self.key, *where[own:]) if inside else where), message)


@dataclass(frozen=True)
class Lines:
    """Line numbers (from 1) of the keys of one TOML file."""

    path: Path
    numbers: dict[Where, int] = field(repr=False)
    digest: str = ""
    """SHA-256 of the text."""
    depth: int = 0
    """Tables and arrays that stand within each other, at the most."""
    overrides: tuple[Override, ...] = ()
    """Values that are put over the file's own; of two of a key, the last one counts."""

    def of(self, where: Where) -> int:
        """Line of a key, or of the nearest table round it; 1 when there is none."""
        while where and where not in self.numbers:
            where = where[:-1]
        return self.numbers.get(where, 1)

    def fault(self, where: Where, message: str) -> Fault:
        """Give a fault at a key of this file, or of what is put over it."""
        if override := self._override(where):
            return override.fault(where, message)
        return Fault(self.path, self.of(where), dotted(where), message)

    def holds(self, where: Where) -> bool:
        """Tell whether a key stands in this file, or is put over it."""
        return where in self.numbers or any(one.where[: len(where)] == where for one in self.overrides)

    def _override(self, where: Where) -> Override | None:
        """Find what gave a key its value, or else what stands in a table that does not fit together."""
        for override in reversed(self.overrides):
            if override.where[: len(where)] == where[: len(override.where)]:
                return override
        missing = next((where[:end] for end in range(1, len(where)) if where[:end] not in self.numbers), ())
        made = (override for override in self.overrides if missing and override.where[: len(missing)] == missing)
        return next(made, None)


def dotted(where: Where) -> str:
    """``("base", "characters", 0, "images")`` -> ``base.characters[0].images``."""
    text = ""
    for part in where:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def locate(path: Path, text: str) -> Lines:
    """Find the keys of a TOML text that the standard library's reader has accepted, in one walk over it."""
    numbers: dict[Where, int] = {}
    arrays: dict[Where, int] = {}
    table: Where = ()
    at, counted, number, depth = 0, 0, 1, 0
    while (at := _end(_BLANK, text, at)) < len(text):
        number, counted = number + text.count("\n", counted, at), at
        brackets = 2 if text.startswith("[[", at) else 1 if text[at] == "[" else 0
        parts, at = _key(text, at + brackets)
        depth = max(depth, len(parts))
        if brackets:
            at += brackets
            table = _indexed(parts, arrays)
            for end in range(1, len(table)):
                numbers.setdefault(table[:end], number)
            if brackets == 2:
                arrays[table] = arrays.get(table, -1) + 1
                numbers.setdefault(table, number)
                table = (*table, arrays[table])
            numbers.setdefault(table, number)
        else:
            where = (*table, *parts)
            for end in range(len(table) + 1, len(where) + 1):
                numbers.setdefault(where[:end], number)
            at, inner = _value(text, at + 1)
            depth = max(depth, len(where) + inner)
    return Lines(path, numbers, hashlib.sha256(text.encode()).hexdigest(), depth)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _key(text: str, at: int) -> tuple[Where, int]:
    """Give the parts of a dotted key, and where it ends: at the sign after it."""
    parts: list[str | int] = []
    while True:
        at = _end(_SPACE, text, at)
        found = _STRING.match(text, at) or _BARE.match(text, at)
        assert found  # the text is TOML
        quoted = found[0][0] in "\"'"
        parts.append(tomllib.loads(f"key = {found[0]}")["key"] if quoted else found[0])
        at = _end(_SPACE, text, found.end())
        if text[at] != ".":
            return tuple(parts), at
        at += 1


def _value(text: str, at: int) -> tuple[int, int]:
    """Give where a value ends, and how deep arrays and inline tables are nested in it."""
    depth = deepest = 0
    while at < len(text) and (depth or text[at] != "\n"):
        if text[at] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif text[at] in "]}":
            depth -= 1
        end = _end(_STRING, text, at) if text[at] in "\"'" else _end(_PLAIN, text, at)
        at = max(at + 1, end)
    return at, deepest


def _indexed(parts: Where, arrays: dict[Where, int]) -> Where:
    """Put the index of the latest element behind each array of tables on the way to a header's last part."""
    where: Where = ()
    for index, part in enumerate(parts):
        where = (*where, part)
        if index < len(parts) - 1 and where in arrays:
            where = (*where, arrays[where])
    return where
