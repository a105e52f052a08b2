"""What a text that is not UTF-8 may be written in: byte-order marks, and readings in the encodings of editors."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from charset_normalizer import CharsetMatch

#: byte-order mark -> encoding; the marks of UTF-32 begin with those of UTF-16, so they come first
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
#: encodings that editors save texts in, the commonest first
_CANDIDATES = ("cp1252", "cp932", "gb18030", "big5", "cp949", "cp1251", "cp1250", "euc_jp", "utf_16_le", "utf_16_be")
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")


def wide_encoding(content: bytes) -> str | None:
    """Name the encoding of a text in UTF-16 or UTF-32, with or without a mark; None where it is none of them.

    Without a mark it is known by its NUL bytes, if most of its letters are ASCII, as those of a table of settings are.
    """
    for mark, name in MARKS.items():
        if content.startswith(mark):
            return None if name == "utf-8" else name
    if b"\0" not in content:
        return None
    for name in _WIDE:
        with suppress(UnicodeDecodeError):
            text = content.decode(name)
            if "\0" not in text and 2 * sum(letter.isascii() for letter in text) > len(text):
                return name
    return None


def readings(content: bytes) -> Iterator[tuple[str, str]]:
    """Give encodings in which bytes are a text, and the text, the likeliest first."""
    from charset_normalizer import from_bytes  # seldom needed

    matches = from_bytes(
        content, cp_isolation=list(_CANDIDATES), threshold=1.0, preemptive_behaviour=False, language_threshold=0.0
    )
    read = [(match.chaos, _name_of(match), str(match)) for match in matches]
    for _, name, text in sorted(read, key=lambda one: (one[0], _CANDIDATES.index(one[1]))):
        if "\0" not in text:
            yield name, text


def _name_of(match: CharsetMatch) -> str:
    """Name the commonest encoding that gives the same text."""
    return next(name for name in _CANDIDATES if name in {*match.could_be_from_charset, match.encoding})
