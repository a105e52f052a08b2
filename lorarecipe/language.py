"""The language that the program speaks: English, or one that has a catalogue in ``locale``."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from itertools import takewhile
from pathlib import Path

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
    """Give an English text in the language of the user; as it is where the catalogue lacks it."""
    spoken = language()
    return text if spoken == _ENGLISH or not text else _catalogue(spoken)(text)


@cache
def _catalogue(code: str) -> Callable[[str], str]:
    import gettext

    return gettext.translation("lorarecipe", CATALOGUES, [code], fallback=True).gettext
