"""What was measured of the images of a folder, so that a second look at 10,000 of them takes a second.

One file a folder, in our own home; safe to delete. An entry holds as long as the image has the size, times and
inode that it had; the digest in it is checked once more when the image is staged.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from lorarecipe.dataset.look import VERSION, Look
from lorarecipe.dataset.picture import Measured
from lorarecipe.files import Stamp, home, read_json, write_atomic

#: an image may change twice within a tick of the file system's clock, so a new one is not remembered yet
_YOUNG_NS = 2_000_000_000

_NAMES = [field.name for field in fields(Look)]

#: what is measured, and how
_VERSION = [VERSION, *_NAMES]

#: form of each measure: a number, a text, or so many numbers; some may be missing
_TYPES = [str(field.type) for field in fields(Look)]


class Memory:
    """Measures of one folder's images."""

    def __init__(self, folder: Path) -> None:
        name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
        self._path = home() / "looks" / f"{name}.json"
        self._known = self._read()
        self._new: dict[str, list[object]] = {}

    def recall(self, name: str, stamp: Stamp) -> Measured | None:
        """Give what was measured of an image, if it is still the same."""
        match self._known.get(name):
            case [list(then), int(width), int(height), str(digest), list(look)] if tuple(then) == stamp:
                frozen: list[Any] = [tuple(value) if isinstance(value, list) else value for value in look]
                if len(frozen) != len(_TYPES) or not all(map(_has_form, frozen, _TYPES)):
                    return None  # somebody has edited it
                self._new[name] = [then, width, height, digest, look]
                return Measured(width, height, digest, Look(*frozen))
        return None

    def keep(self, name: str, stamp: Stamp, measured: Measured) -> None:
        """Remember an image."""
        if stamp[1] < time.time_ns() - _YOUNG_NS:
            self._new[name] = [list(stamp), *measured[:3], [getattr(measured.look, name) for name in _NAMES]]

    def write(self) -> None:
        """Write what holds now; a home that cannot be written is no reason to fail."""
        if self._new != self._known:
            try:
                write_atomic(self._path, json.dumps({"version": _VERSION, "images": self._new}, separators=(",", ":")))
            except OSError:
                return

    def _read(self) -> dict[str, list[object]]:
        try:
            match read_json(self._path):
                case {"version": version, "images": dict(images)} if version == _VERSION:
                    return images
        except (OSError, ValueError):
            pass
        return {}


def _has_form(value: object, form: str) -> bool:
    """Tell whether a remembered measure has the type that its field is declared with."""
    if value is None:
        return "None" in form
    numbers = {"Edges": 4, "Edges | None": 4, "Colour": 3, "Colour | None": 3, "tuple[float, float] | None": 2}
    numbers["tuple[float, float, float] | None"] = 3
    if form in numbers:
        if not isinstance(value, tuple) or len(value) != numbers[form]:
            return False
        return all(type(part) in {int, float} for part in value)
    if form == "Hexadecimal":
        return isinstance(value, str) and re.fullmatch("(?:[0-9a-f]{2})*", value) is not None
    forms: dict[str, set[type]] = {"int": {int}, "float": {int, float}, "str": {str}}
    return type(value) in forms[form]
