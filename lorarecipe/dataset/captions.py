"""Caption files: tags separated by commas, on the first line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Tag:
    """A tag as written, and the column (from 1) where it starts."""

    text: str
    column: int


@dataclass(frozen=True)
class Caption:
    """A caption file; ``problem`` is set when it cannot be read as the trainer would read it."""

    path: Path
    tags: tuple[Tag, ...]
    problem: str | None = None

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Texts of the tags."""
        return tuple(tag.text for tag in self.tags)

    @property
    def text(self) -> str:
        """The final caption: tags joined the one way."""
        return ", ".join(self.words)


def read_caption(path: Path) -> Caption:
    """Read a caption file.

    sd-scripts reads the first line only, keeps a byte order mark as a part of the first tag and dies of an
    empty file; each is named as a problem here.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as problem:
        return Caption(path, (), f"not UTF-8 (byte {problem.start})")
    except OSError as problem:
        return Caption(path, (), f"not readable ({problem.strerror})")
    if text.startswith("\ufeff"):
        return Caption(path, (), "marked with a byte order mark, which would become part of the first tag")
    first, *rest = re.split(r"\r\n|\r|\n", text)  # as a text file is read; no other character ends a line
    if any(line.strip() for line in rest):
        return Caption(path, tags_of(first), "more than one line long, of which only the first would be read")
    return Caption(path, tags_of(first), None if tags_of(first) else "empty")


def tags_of(line: str) -> tuple[Tag, ...]:
    """Split a line at its commas; empty parts are dropped."""
    tags, column = [], 1
    for part in line.split(","):
        if text := part.strip():
            tags.append(Tag(text, column + len(part) - len(part.lstrip())))
        column += len(part) + 1
    return tuple(tags)
