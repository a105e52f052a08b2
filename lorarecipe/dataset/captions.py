"""Caption files: tags separated by commas, on the first line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from lorarecipe.dataset.encodings import UncertainEncoding, decoded
from lorarecipe.files import read_file

#: bytes of a caption file; the trainer reads 225 tokens of it at most, which is about a thousand letters
_LARGEST = 64_000
#: a longer piece between two separators is a sentence, and cutting it there may change what it says
_MOST_WORDS = 6
#: before a full stop: it belongs to the word
_ABBREVIATIONS = "".join(rf"(?<!\b{word})" for word in ("st", "dr", "mr", "ms", "vs", "no", "jr", "sr", "mrs"))
#: what people write between tags in place of a comma; a smiley (`;)`, `;d`, `|_|`) is a tag
_SEPARATORS = re.compile(
    r"[，、､；﹐،؛｡。｜\t]+"
    r"|(?<=[\w)]);+(?=[\s\w(]|$)|(?:^|(?<=\s));+\s+"
    r"|(?<=[\w)\s])\|+(?=[\w(\s]|$)"
    rf"|(?i:{_ABBREVIATIONS})(?<=[^\W_][\w)])\.+(?=\s|$)"
)


@dataclass(frozen=True)
class Tag:
    """A tag as written, and the column and line (from 1) where it starts."""

    text: str
    column: int
    line: int = 1


@dataclass(frozen=True)
class Caption:
    """A caption file; ``problem`` is set when the trainer would not read it as it was meant."""

    path: Path
    tags: tuple[Tag, ...]
    problem: str | None = None
    mendable: bool = False
    """Whether the tags are surely those that were meant, so that the file can be written anew."""
    undecided: bool = False
    """Whether the author has to name the encoding of the file."""

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Texts of the tags."""
        return tuple(tag.text for tag in self.tags)

    @property
    def text(self) -> str:
        """The final caption: tags joined the one way."""
        return ", ".join(self.words)


def plain(text: str) -> str:
    r"""Write a tag in its normal form: lower case, single spaces, no underscores, escapes or full-width letters.

    Tags that have the same normal form are the same tag: ``Holding_Sword`` and ``holding sword``, ``staff \(weapon\)``
    and ``staff (weapon)``.
    """
    text = unicodedata.normalize("NFKC", text)
    return " ".join(re.sub(r"\\([()\[\]{}<>:])", r"\1", text).replace("_", " ").lower().split())


def read_caption(path: Path, whole: frozenset[str] = frozenset(), encoding: str | None = None) -> Caption:
    """Read a caption file.

    sd-scripts reads the first line only, splits it at commas only, keeps a byte order mark as a part of the first tag,
    and dies of an empty file and of any encoding but UTF-8; each is named as a problem here.

    Parameters
    ----------
    path
        The file. A pipe, a device, or a file above 64 kB is not read.
    whole
        Tags, in their normal form, that are not split although they hold what others write between tags.
    encoding
        Encoding of a file that is neither UTF-8 nor marked by its first bytes.
    """
    try:
        text, problem = decoded(read_file(path, _LARGEST), encoding)
    except UncertainEncoding as error:
        return Caption(path, (), str(error), undecided=True)
    except OSError as error:
        return Caption(path, (), f"not readable ({error.strerror})")
    tags, odd = _tags_and_separators(text, whole)
    if not tags:
        return Caption(path, (), "empty")
    divided = bool(odd) or tags[-1].line > 1
    if tags[-1].line > 1:
        problem = "more than one line long, of which only the first would be read"
    elif odd:
        problem = f"divided by {' and '.join(map(repr, sorted(odd)))}, which the trainer reads as a part of a tag"
    prose = divided and any(len(tag.text.split()) > _MOST_WORDS for tag in tags)
    return Caption(path, tags, problem, mendable=problem is not None and not prose)


@lru_cache(1024)  # the captions of a set are a few texts, and a set may have ten thousand images
def _tags_and_separators(text: str, whole: frozenset[str]) -> tuple[tuple[Tag, ...], frozenset[str]]:
    """Give the tags of a caption, and what divides them beside commas."""
    lines = re.split(r"\r\n|\r|\n", text)  # as a text file is read; no other character ends a line
    written = [tag for number, line in enumerate(lines, 1) for tag in tags_of(line, number)]
    tags = tuple(piece for tag in written for piece in _pieces(tag, whole))
    return tags, frozenset(separator for tag in written for separator in _odd(tag, whole))


def tags_of(line: str, number: int = 1) -> tuple[Tag, ...]:
    """Split a line at its commas; empty parts are dropped."""
    tags, column = [], 1
    for part in line.split(","):
        if text := part.strip():
            tags.append(Tag(text, column + len(part) - len(part.lstrip()), number))
        column += len(part) + 1
    return tuple(tags)


def _pieces(tag: Tag, whole: frozenset[str]) -> Iterator[Tag]:
    """Split a tag at what others write in place of a comma."""
    ends = [0, *(end for found in _cuts(tag.text, whole) for end in found.span()), len(tag.text)]
    for start, end in zip(ends[::2], ends[1::2], strict=True):
        piece = tag.text[start:end]
        if text := piece.strip():
            yield replace(tag, text=text, column=tag.column + start + len(piece) - len(piece.lstrip()))


def _odd(tag: Tag, whole: frozenset[str]) -> Iterator[str]:
    yield from (found[0].strip() or "a tab" for found in _cuts(tag.text, whole))


def _cuts(text: str, whole: frozenset[str]) -> list[re.Match[str]]:
    cuts = [*_SEPARATORS.finditer(text)]
    if not cuts or plain(text) in whole:
        return []
    ends = [0, *(end for found in cuts for end in found.span()), len(text)]
    pieces = [text[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True)]
    # what has no letter is no tag: the whole is a smiley, or a drawing of one
    return cuts if all(not piece or re.search(r"[^\W_]", piece) for piece in pieces) else []
