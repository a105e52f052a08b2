"""Find the translation of a text in which values are filled in already.

Messages are English wherever they are made, kept and read by programs, and are translated where a person sees them. So
a text comes here with its values, as ``found 3, expected 4``, and the catalogue has it as ``found {value}, expected
{wish}``: each line is compared with the patterns of the catalogue, and the values with all of them again, since a
value may be a phrase too.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import attrgetter
from pathlib import Path
from string import Formatter

#: where a line may be parted into phrases, or into the columns of a table
_JOINT = re.compile(r": |; |, |\. | \(| {2,}| x | -> |(?<=\w) (?=in |and |merged )")
#: the code and the severity of a finding, which programs read too
_CODE = re.compile(r"[A-Z]{3}\d{3} (?:error|warning) ")
#: what stands between a context and its word (gettext manual, 10.3)
CONTEXT = "\x04"
#: letters of a line that is compared, and joints at which it is parted: of a trainer's log there may be thousands
_LONGEST, _MOST_JOINTS = 2000, 16
#: letters of a pattern, as of ``{done} of {all}``, that may as well stand in any other text
_FEW = 8


@dataclass(frozen=True)
class _Reading:
    """A translation, and how many letters of the English text were not taken for values."""

    text: str
    letters: int = 0


@dataclass(frozen=True)
class _Pattern:
    """A text of the catalogue with gaps for values, and its translation."""

    text: str
    translation: str

    @cached_property
    def literals(self) -> list[str]:
        """What stands between the values, the longest first: it is the least likely to be in another text."""
        return sorted((literal for literal, *_ in Formatter().parse(self.text)), key=len, reverse=True)

    @cached_property
    def letters(self) -> int:
        """How many letters are no values."""
        return sum(map(_letters, self.literals))

    @cached_property
    def _expression(self) -> re.Pattern[str]:
        parts = (
            re.escape(literal) + (f"(?P<{name}>{_NUMBER if name == 'number' else '.*?'})" if name else "")
            for literal, name, *_ in Formatter().parse(self.text)
        )
        return re.compile("".join(parts))

    def values(self, line: str) -> dict[str, str] | None:
        """Give the values in a line, or None where the line is another text."""
        if not all(literal in line for literal in self.literals):
            return None
        found = self._expression.fullmatch(line)
        return found.groupdict() if found else None


_NUMBER = r"[\d.,]+"


class Phrases:
    """The texts of a catalogue, with their translations.

    A line can be read in several ways: as a text of the catalogue, whose values may be such texts too, or as several of
    them side by side. The reading counts that takes the fewest letters for values.

    Parameters
    ----------
    catalogue
        Translations by their English texts, in which ``{name}`` stands for a value. A word that is said so in a
        context only has the context before it, with ``CONTEXT`` between them.
    """

    def __init__(self, catalogue: Mapping[str, str]) -> None:
        self._whole = catalogue
        patterns = (_Pattern(*entry) for entry in catalogue.items() if has_gaps(entry[0]) and CONTEXT not in entry[0])
        # the longest first, which counts where it takes as few letters for values
        self._patterns = sorted(patterns, key=lambda one: -one.letters)
        self._read = lru_cache(10_000)(self._best)

    def translated(self, text: str) -> str:
        """Translate a text as far as the catalogue has its phrases."""
        return self._whole.get(text) or "\n".join(self._read(line).text for line in text.split("\n"))

    def in_context(self, word: str, context: str) -> str:
        """Translate a word as it is said in a context; what is a text of its own is the same in all of them."""
        return self._whole.get(f"{context}{CONTEXT}{word}") or self._whole.get(word) or word

    def _best(self, line: str) -> _Reading:
        if known := self._whole.get(line):
            return _Reading(known, _letters(line))
        if len(line) > _LONGEST or not _letters(line):
            return _Reading(line)
        return max(self._readings(line), key=attrgetter("letters"), default=_Reading(line))

    def _readings(self, line: str) -> Iterator[_Reading]:
        """Give the ways to read a line; of those that take as few letters for values, the first counts."""
        for pattern in self._patterns:
            if (values := pattern.values(line)) is not None:
                read = {name: self._read(value) for name, value in values.items()}
                if pattern.letters < _FEW and any(_is_prose(values[name], one) for name, one in read.items()):
                    continue
                text = pattern.translation.format(**{name: one.text for name, one in read.items()})
                yield _Reading(text, pattern.letters + sum(one.letters for one in read.values()))
        for end, start in _parted(line):
            before, after = self._read(line[:end]), self._read(line[start:])
            joint = line[end:start]
            letters = before.letters + after.letters + (_letters(joint) if before.letters and after.letters else 0)
            yield _Reading(before.text + joint + after.text, letters)


def _parted(line: str) -> Iterator[tuple[int, int]]:
    """Give ends and beginnings of what may be two phrases; a joint may belong to either, or to none of them."""
    bare = line.strip()
    if code := _CODE.match(line):
        yield 0, code.end()
    elif bare != line:
        start = line.index(bare)
        yield (0, start) if start else (len(bare), len(line))
    else:
        for joint, _ in zip(_JOINT.finditer(line), range(_MOST_JOINTS), strict=False):
            start, end = joint.span()
            places = ((start, end), (start, start), (end, end))
            yield from (place for place in places if place[0] > 0 and place[1] < len(line))


def _is_prose(value: str, read: _Reading) -> bool:
    """Tell whether a value is several words of which the catalogue knows the fewest."""
    return read.letters * 2 < _letters(value) and len(re.findall(r"(?<!\S)[a-z]{2,}(?!\S)", value)) > 1


def _letters(text: str) -> int:
    return len(text) - sum(map(str.isspace, text))


def has_gaps(text: str) -> bool:
    """Tell whether a text has gaps for values; the help of a command may hold braces that are none."""
    try:
        names = [name for _, name, *_ in Formatter().parse(text) if name is not None]
    except ValueError:
        return False
    return bool(names) and all(map(str.isidentifier, names))


def read_catalogue(path: Path) -> dict[str, str]:
    """Read all texts of a compiled catalogue, which gettext itself gives one by one alone (gettext manual, 10.3)."""
    content = path.read_bytes()
    number, *tables = struct.unpack_from("<3I", content, 8)

    def text(table: int, index: int) -> str:
        length, start = struct.unpack_from("<2I", content, table + 8 * index)
        return content[start : start + length].decode()

    originals, translations = ([text(table, index) for index in range(number)] for table in tables)
    entries = dict(zip(originals, translations, strict=True))
    entries.pop("", None)  # the catalogue's own head
    return entries
