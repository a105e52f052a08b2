"""A recipe as it is published: its text, without the folders of the machine that it was run on."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import PureWindowsPath

#: comments and strings of TOML, the longer quotes first
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*)|\"{3}.*?(?<!\\)\"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'""", re.DOTALL
)
#: how an absolute path begins: at the root, at a drive or at a home
_ABSOLUTE = re.compile(r"(?:[A-Za-z]:|~\w*)?[\\/]")
#: a path within a comment: at least a folder below the root, a drive or a home
_PATH = re.compile(r"(?<![\w.:/\\~-])(?:[A-Za-z]:|~\w*)?[\\/](?:[^\s\\/\"'<>|]+[\\/])+[^\s\\/\"'<>|,;)]*")


def without_folders(text: str) -> tuple[str, int]:
    """Replace every absolute path in a recipe by its last part, and count them; comments are read too."""
    replaced = 0

    def in_comment(found: re.Match[str]) -> str:
        nonlocal replaced
        replaced += 1
        return _last(found[0])

    def in_text(found: re.Match[str]) -> str:
        nonlocal replaced
        if found["comment"]:
            return _PATH.sub(in_comment, found[0])
        value = tomllib.loads(f"x = {found[0]}")["x"]
        if not _ABSOLUTE.match(value):
            return found[0]
        replaced += 1
        return json.dumps(_last(value), ensure_ascii=False)

    return _TOKEN.sub(in_text, text), replaced


def _last(path: str) -> str:
    return PureWindowsPath(path).name
