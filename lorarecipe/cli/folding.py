"""Break a line for a terminal, by columns: between words, and in Japanese between phrases."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

#: what stays on a line: a word with the letters of grammar (hiragana) and the punctuation behind it
_PHRASE = re.compile(r"(?=\S)[^\sぁ-ん、。]*[ぁ-ん]*[、。」）)]*|\s+")


def folded_lines(text: str, width: int, indent: int = 0) -> Iterator[str]:
    """Give lines of ``width`` columns at most, unless a phrase is longer; those after the first are indented."""
    line = ""
    for phrase in _PHRASE.findall(text):
        if line.strip() and columns(line + phrase.rstrip()) > width:
            yield line.rstrip()
            line = " " * indent + phrase.lstrip()
        else:
            line += phrase
    yield line.rstrip()


def columns(text: str) -> int:
    """Count the columns of a terminal that a text takes: letters of Chinese, Japanese and Korean take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
