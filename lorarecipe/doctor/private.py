"""What a bug report must not hold: the home folder, the names of user and host, tokens, and how to take them out."""

from __future__ import annotations

import getpass
import os
import platform
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lorarecipe.doctor.surroundings import token_files
from lorarecipe.trainer.process import is_secret

#: letters of a value of the environment below which it is no secret, but a word that may stand anywhere
_LEAST = 6
_SECRET, _HOME, _USER, _HOST = "<secret>", "<home>", "<user>", "<host>"
_LONG_HEX = re.compile(r"[0-9a-fA-F]{16,}")
#: one or more slashes of either kind, as JSON, ``repr`` and addresses write them
_SLASHES = r"(?:[\\/]|%5c|%2f){1,16}"
#: where a word begins: after no letter or digit, but for those of an escape (``\\n``, ``\\u001b``, ``%20``, a colour)
_BEGINS = (
    r"(?:(?<![^\W_])|(?<=\\[abfnrtv0])|(?<=%[0-9a-fA-F]{2})|(?<=\\x[0-9a-fA-F]{2})|(?<=\\u[0-9a-fA-F]{4})"
    r"|(?<=\[\dm)|(?<=\[\d\dm))"
)
#: tokens that are known by their form
_FORMS = re.compile(
    r"hf_[A-Za-z0-9]{8,}|(?:gh[opsur]|github_pat|glpat|xox[abposr])[_-][A-Za-z0-9_\-]{8,}"
    rf"|{_BEGINS}(?:api_org|sk|pk|rk|npm|pypi|civitai|r8|wandb)[_-][A-Za-z0-9_\-]{{8,}}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,}|AIza[A-Za-z0-9_\-]{20,}"
    r"|eyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-.]+"
)
_AFTER_A_WORD = re.compile(r"(?i)\b((?:bearer|basic|token)\s+)[A-Za-z0-9._~+/=\-]{6,}")
#: a name that ends so is a secret's; ``tokenizer`` and ``max_token_length`` do not
_NAME = r"[a-z0-9_\-]{0,32}(?:token|secret|passw(?:or)?d|passphrase|credentials?|(?:api|access|private)[_-]?key)"
#: ``name = value``, ``"name": "value"``; and as a word of a command line, ``--name value``, also in a list
_NAMED = re.compile(
    rf"(?i)((?:{_NAME}[\\\"']*\s*[:=]\s*|--{_NAME}[\\\"',\s=]+)[\\\"']*)(?!<secret>)[^\s\\\"',;&]{{4,}}"
)
_HEADER = re.compile(r"(?i)\b((?:authorization|(?:set-)?cookie)[\\\"']*\s*:\s*[\\\"']*)[^\r\n\"'\\]+")
#: a variable of an environment that holds a long hexadecimal number
_VARIABLE = re.compile(r"\b([A-Z][A-Z0-9_]*[\\\"']*\s*[:=]\s*[\\\"']*)[0-9a-fA-F]{16,}")
_IN_AN_ADDRESS = re.compile(r"(?<=://)[^/\s@\"']+@")
_SHORT = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f", "\v": "v", "\a": "a", "\0": "0"}
#: home folders of anybody
_HOMES = re.compile(rf"(?i)(?:(?<![A-Za-z])[a-z]:)?{_SLASHES}(?:home|users){_SLASHES}(?!<)[^\\/\s\"'<>|:;,%]+")


@dataclass(frozen=True)
class Private:
    """Texts of this machine that are taken out wherever they stand, however they are escaped."""

    homes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()

    def redacted(self, text: str) -> str:
        """Take out all that is private."""
        for pattern, instead in self._patterns:
            text = pattern.sub(instead, text)
        text = _FORMS.sub(_SECRET, _IN_AN_ADDRESS.sub(f"{_SECRET}@", text))
        text = _HEADER.sub(rf"\1{_SECRET}", text)
        text = _AFTER_A_WORD.sub(rf"\1{_SECRET}", text)
        text = _VARIABLE.sub(rf"\1{_SECRET}", _NAMED.sub(rf"\1{_SECRET}", text))
        return _HOMES.sub(_HOME, text)

    @cached_property
    def _patterns(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple(
            (re.compile(form, re.IGNORECASE), instead)
            for forms, instead in (
                (map(_anywhere, _longest_first(self.secrets)), _SECRET),
                (map(_folder, _longest_first(self.homes)), _HOME),
                (map(_word, _longest_first(self.hosts)), _HOST),
                (map(_word, _longest_first(self.users)), _USER),
            )
            for form in forms
        )


def private_here() -> Private:
    """Collect what is private on this machine."""
    homes, users = set[str](), set[str]()
    with suppress(RuntimeError):
        own = Path.home()
        homes |= {str(own), str(own.resolve())}
        users.add(own.name)
    homes |= {value for name in ("HOME", "USERPROFILE") if (value := os.environ.get(name))}
    users |= {value for name in ("USER", "LOGNAME", "USERNAME") if (value := os.environ.get(name))}
    with suppress(OSError, KeyError, ImportError):
        users.add(getpass.getuser())
    host = platform.node()
    return Private(
        tuple(home for home in homes if len(_parts(home)) > 0),
        tuple(user for user in users if user),
        tuple(name for name in {host, host.partition(".")[0]} - {"", "localhost"}),
        tuple({value for value in _secret_values() if len(value) >= _LEAST}),
    )


def _secret_values() -> Iterator[str]:
    for name, value in os.environ.items():
        if is_secret(name, value) or _LONG_HEX.fullmatch(value):
            yield value
    for path in token_files():
        with suppress(OSError):
            yield path.read_text("utf-8", errors="replace").strip()


def _longest_first(texts: tuple[str, ...]) -> list[str]:
    """Give each text in the two ways in which accents are written, the longest first."""
    forms = {unicodedata.normalize(form, text) for text in texts for form in ("NFC", "NFD")} | {*texts}
    return sorted(forms, key=lambda text: (-len(text), text))


def _parts(path: str) -> list[str]:
    return [part for part in re.split(r"[\\/]+", path) if part]


def _folder(path: str) -> str:
    """Give the pattern of a folder; a folder whose name only begins so is another."""
    drive = "" if path[:1] not in "\\/" else _SLASHES
    return drive + _SLASHES.join(map(_anywhere, _parts(path))) + r"(?![^\W_])"


def _word(name: str) -> str:
    """Give the pattern of a name that stands by itself, and not within a longer word."""
    return rf"{_BEGINS}{_anywhere(name)}(?![^\W_])"


def _anywhere(text: str) -> str:
    """Give the pattern of a text in whichever way its letters are escaped: by JSON, Python or an address."""
    return "".join(map(_letter, text))


def _letter(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    code, octets = ord(letter), letter.encode("utf-8", "surrogatepass")
    units = letter.encode("utf-16-be", "surrogatepass")
    ways = [
        rf"\\{{0,8}}{re.escape(letter)}",
        "".join(f"%{octet:02x}" for octet in octets),
        "".join(rf"\\{{1,8}}x{octet:02x}" for octet in octets),
        "".join(rf"\\{{1,8}}u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)),
        rf"\\{{1,8}}U{code:08x}",
        *([rf"\\{{1,8}}x{code:02x}"] if code < 256 else []),
        *([rf"\\{{1,8}}{short}"] if (short := _SHORT.get(letter)) else []),
    ]
    return f"(?:{'|'.join(ways)})"
