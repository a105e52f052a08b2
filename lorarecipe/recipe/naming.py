"""Names of results: they name files on every system, so not every text can be one."""

from __future__ import annotations

import re
import unicodedata

from lorarecipe.recipe.table import fault

#: what Windows keeps for devices, with any extension
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
#: letters of a name, and its bytes in UTF-8: with what a trainer appends, it stays within a file system's 255
_LETTERS, _BYTES = 64, 192
RULE = f"letters and digits of any script, '.', '_' or '-' (it names files), {_LETTERS} at most"
#: what every name is like, for editors, whose patterns do not all know letters of every script: of ASCII, those alone
LIKE_A_NAME = rf"^[^\x00-/:-@\[-`{{-\x7f][^\x00-,/:-@\[-^`{{-\x7f]{{0,{_LETTERS - 1}}}$"


def a_file_name(name: str) -> str:
    """Give a name in the form that files get (NFC), or say what is wrong with it."""
    composed = unicodedata.normalize("NFC", name)
    if not composed or narrowed(composed) != composed:
        raise fault(f"found {name!r}, expected {RULE}")
    return composed


def narrowed(text: str) -> str:
    """Give the file name that is nearest to a text; nothing where no letter of it can stay."""
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(sign if _may_stay(sign) else "-" for sign in composed)
    kept = re.sub(r"-{2,}", "-", kept) if kept != composed else kept
    kept = kept.lstrip("._-").rstrip(".")[:_LETTERS].rstrip(".")
    while len(kept.encode()) > _BYTES:
        kept = kept[:-1].rstrip(".")
    if kept != composed:
        kept = kept.rstrip("-.")
    if _RESERVED.fullmatch(kept):
        device, dot, rest = kept.partition(".")
        return f"{device}_{dot}{rest}"
    return kept


def _may_stay(sign: str) -> bool:
    return sign in "._-" or unicodedata.category(sign)[0] in "LMN"
