r"""Windows paths in double quotes, where TOML takes a backslash for the beginning of an escape.

``"C:\Users\me"`` is no TOML, as ``\U`` has to be followed by eight digits; ``"renders\red"`` is, and holds a carriage
return. The first is found in the text here, the second in the value of a path.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_TOKEN = re.compile(
    r'#[^\n]*|"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|\'[^\'\n]*\''
    r'|"(?P<inner>(?:[^"\\\n]|\\[^\n])*)(?P<end>"?)',
    re.DOTALL,
)
_ESCAPE = re.compile(r'\\(?:[btnfr"\\]|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})')
_BAD = re.compile(rf"{_ESCAPE.pattern}|(?P<bad>\\.)")
#: signs that prompts have after a backslash, and paths have not
_OF_PROMPTS = "()[]{}<>:,*"
#: escape of a control character -> what it is called
_CONTROLS = {
    "\b": (r"\b", "a backspace"),
    "\t": (r"\t", "a tab"),
    "\n": (r"\n", "a line break"),
    "\f": (r"\f", "a form feed"),
    "\r": (r"\r", "a carriage return"),
}


@dataclass(frozen=True)
class Escaped:
    """A string whose backslashes TOML cannot read: where it begins, and what is to be said of it."""

    line: int
    message: str


def mended(text: str) -> tuple[str, tuple[Escaped, ...]]:
    """Give a TOML text with its unreadable strings as their author meant them, and what is wrong with each."""
    found, parts, last, line = [], list[str](), 0, 1
    for token in _TOKEN.finditer(text):
        inner = token["inner"]
        bad = _unreadable(inner, ends=bool(token["end"])) if inner is not None else None
        if inner is None or bad is None:
            continue
        if bad == '\\"':  # it was meant to end here
            inner = inner[: inner.index(bad) + 1]
        line += text.count("\n", last, token.start())
        found.append(Escaped(line, _advice(inner, bad)))
        parts += [text[last : token.start()], '"', _doubled(inner), '"']
        last = token.end()
    return "".join([*parts, text[last:]]), tuple(found)


def _unreadable(inner: str, *, ends: bool) -> str | None:
    r"""Give the first backslash that TOML cannot read, with the sign after it; or ``\"``, which keeps a string open."""
    if not ends:
        return '\\"' if '\\"' in inner else None
    return next((match["bad"] for match in _BAD.finditer(inner) if match["bad"]), None)


def _advice(inner: str, escape: str) -> str:
    shown = inner if len(inner) <= 80 else f"{inner[:77]}..."
    what = f"{escape} does not end the string" if escape == '\\"' else f"{escape} begins an escape"
    ways = [] if "'" in inner else [f"in single quotes: '{shown}'"]
    if escape[1] in _OF_PROMPTS:
        ways.append(f'with two backslashes for each: "{_doubled(shown)}"')
    else:
        ways.append(f'with /: "{_slashed(shown)}"')
    return f'found "{shown}" in double quotes, where {what}; write it {", or ".join(ways)}'


def _doubled(text: str) -> str:
    return text.replace("\\", "\\\\")


def _slashed(text: str) -> str:
    return text.replace("\\\\", "\\").replace("\\", "/")


def stray_character(path: str) -> str | None:
    """Say which character of a path nobody means to write, and what to write; None where there is none.

    Spaces of every width are meant.
    """
    stray = next((letter for letter in path if not letter.isprintable() and unicodedata.category(letter) != "Zs"), None)
    if stray is None:
        return None
    if stray in _CONTROLS:
        escape, name = _CONTROLS[stray]
        instead = path.replace("\\", "/")
        for control, (written, _) in _CONTROLS.items():
            instead = instead.replace(control, f"/{written[1]}")
        meant = f"write '{instead}', or put the path in single quotes" if instead.isprintable() else "take it out"
        return f"found {path!r}, which holds {name} ({escape} in double quotes): {meant}"
    name = unicodedata.name(stray, "a control character")
    return f"found {path!r}, which holds the character U+{ord(stray):04X} ({name}): take it out"
