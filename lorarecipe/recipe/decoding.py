"""The text of a recipe file, which has to be UTF-8; of another encoding it is said which one it may be."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from lorarecipe.encodings import readings, wide_encoding
from lorarecipe.errors import Fault, RecipeError

#: readings of a line that is not UTF-8, letters of each, and lines and bytes that are looked at
_READINGS, _LETTERS, _LINES, _MOST = 3, 40, 50, 4096


def text_of(path: Path, content: bytes) -> str:
    """Decode a recipe; a byte-order mark of UTF-8 is no part of the text.

    Raises
    ------
    RecipeError
        When the file is not UTF-8.
    """
    if wide := wide_encoding(content):
        message = f"the file is written in {wide.upper()}, expected UTF-8; save the file as UTF-8"
        raise RecipeError((Fault(path, 1, "", message),))
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as problem:
        raise RecipeError((_not_utf8(path, content),)) from problem


def _not_utf8(path: Path, content: bytes) -> Fault:
    """Show how the first line that is not UTF-8 reads in the likeliest encodings."""
    odd = [(number, line) for number, line in enumerate(content.split(b"\n"), 1) if not _is_utf8(line)]
    several = b"\n".join(line for _, line in odd[:_LINES])
    likely = ((name, text) for name, text in readings(several[:_MOST]) if not name.startswith("utf"))
    found = [f"{name} reads {text.split(chr(10))[0].strip()[:_LETTERS]!r}" for name, text in islice(likely, _READINGS)]
    guess = f"the file is perhaps written in another encoding ({', '.join(found)})" if found else "it may be damaged"
    return Fault(path, odd[0][0], "", f"this line is not UTF-8; {guess}; save the file as UTF-8")


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
