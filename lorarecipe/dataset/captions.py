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
    """A caption file; ``problem`` is set when the trainer would not read it as it was meant."""

    path: Path
    tags: tuple[Tag, ...]
    problem: str | None = None
    mendable: bool = False
    """Whether the tags are surely those that were meant, so that the file can be written anew."""

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

    sd-scripts reads the first line only, keeps a byte order mark as a part of the first tag, dies of an empty file
    and of any encoding but UTF-8; each is named as a problem here.
    """
    try:
        text, problem = _decoded(path.read_bytes())
    except UnicodeDecodeError as error:
        return Caption(path, (), f"not UTF-8 (byte {error.start})")
    except OSError as error:
        return Caption(path, (), f"not readable ({error.strerror})")
    first, *rest = re.split(r"\r\n|\r|\n", text)  # as a text file is read; no other character ends a line
    tags = tags_of(first)
    if any(line.strip() for line in rest):
        return Caption(path, tags, "more than one line long, of which only the first would be read")
    if not tags:
        return Caption(path, (), "empty")
    return Caption(path, tags, problem, mendable=problem is not None)


def _decoded(content: bytes) -> tuple[str, str | None]:
    """Give the text, and what is wrong with its encoding: a byte order mark, or cp932, which Japanese editors write."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        try:
            text = content.decode("cp932")
        except UnicodeDecodeError:
            text = ""
        if not re.search(r"[\u3041-\u30ff\u4e00-\u9fff]", text):
            raise
        return text, "written in cp932 (Shift JIS), which the trainer cannot read; save it as UTF-8"
    if text.startswith("\ufeff"):
        return text[1:], "marked with a byte order mark, which would become part of the first tag"
    return text, None


def tags_of(line: str) -> tuple[Tag, ...]:
    """Split a line at its commas; empty parts are dropped."""
    tags, column = [], 1
    for part in line.split(","):
        if text := part.strip():
            tags.append(Tag(text, column + len(part) - len(part.lstrip())))
        column += len(part) + 1
    return tuple(tags)
