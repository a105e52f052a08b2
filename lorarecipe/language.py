"""The language that the program speaks: English, or one that has a catalogue in ``locale``."""

from __future__ import annotations

import os
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lorarecipe.phrases import Phrases

CATALOGUES = Path(__file__).with_name("locale")
_ENGLISH = "en"
_TRANSLATED = ("ja",)


def language() -> str:
    """Give the code of the language that ``LORARECIPE_LANG`` names, else of the locale's, else of English."""
    names = ("LORARECIPE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
    asked = next((value for name in names if (value := os.environ.get(name))), "")
    code = "".join(takewhile(str.isalpha, asked.lower()))  # of ja_JP.UTF-8: ja
    return code if code in _TRANSLATED else _ENGLISH


def translated(text: str) -> str:
    """Give an English text, whatever is filled in, in the language of the user; as it is where the catalogue lacks it.

    It is called where a person is about to see the text, and never of what is kept or read by programs.
    """
    spoken = language()
    return text if spoken == _ENGLISH or not text else _phrases(spoken).translated(text)


def in_context(word: str, context: str) -> str:
    """Give an English word in the language of the user, as it is said in a context; as it is where none is known.

    A single word may be a value in a message as well, as the name of a folder, which stays as it is. So it is looked
    up only where it is known to be a word: a head of a ``column``, an ``arm``, a ``verdict``.
    """
    spoken = language()
    return word if spoken == _ENGLISH else _phrases(spoken).in_context(word, context)


@cache
def _phrases(code: str) -> Phrases:
    from lorarecipe.phrases import Phrases, read_catalogue

    return Phrases(read_catalogue(CATALOGUES / code / "LC_MESSAGES" / "lorarecipe.mo"))
