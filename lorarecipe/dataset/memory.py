"""What was measured of the images of a folder, so that a second look at 10,000 of them takes a second.

One file a folder, in our own home; safe to delete. An entry holds as long as the image has the size, times and
inode that it had; the digest in it is checked once more when the image is staged.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from lorarecipe.dataset.look import VERSION, Look
from lorarecipe.dataset.picture import Measured
from lorarecipe.files import Stamp, home, read_json, write_atomic

#: an image may change twice within a tick of the file system's clock, so a new one is not remembered yet
_YOUNG_NS = 2_000_000_000

_NAMES = [field.name for field in fields(Look)]

#: what is measured, and how
_VERSION = [VERSION, *_NAMES]

#: times of an image, its width, height and digest, and the values of its look in the order of the fields
_Entry = tuple[Stamp, int, int, str, tuple[Any, ...]]
_Look = tuple[tuple(get_type_hints(Look, include_extras=True).values())]  # type: ignore[misc,valid-type]
_ENTRIES: TypeAdapter[dict[str, _Entry]] = TypeAdapter(
    dict[str, tuple[Stamp, int, int, str, _Look]]  # type: ignore[valid-type]
)


class Memory:
    """Measures of one folder's images."""

    def __init__(self, folder: Path) -> None:
        name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:32]
        self._path = home() / "looks" / f"{name}.json"
        self._known = self._read()
        self._new: dict[str, _Entry] = {}

    def recall(self, name: str, stamp: Stamp) -> Measured | None:
        """Give what was measured of an image, if it is still the same."""
        if not (entry := self._known.get(name)) or entry[0] != stamp:
            return None
        self._new[name] = entry
        return Measured(*entry[1:4], Look(*entry[4]))

    def keep(self, name: str, stamp: Stamp, measured: Measured) -> None:
        """Remember an image."""
        if stamp[1] < time.time_ns() - _YOUNG_NS:
            self._new[name] = (stamp, *measured[:3], tuple(getattr(measured.look, field) for field in _NAMES))

    def write(self) -> None:
        """Write what holds now; a home that cannot be written is no reason to fail."""
        if self._new != self._known:
            try:
                write_atomic(self._path, json.dumps({"version": _VERSION, "images": self._new}, separators=(",", ":")))
            except OSError:
                return

    def _read(self) -> dict[str, _Entry]:
        try:
            match read_json(self._path):
                case {"version": version, "images": dict(images)} if version == _VERSION:
                    return _entries(images)
        except (OSError, ValueError):
            pass
        return {}


def _entries(images: dict[str, object]) -> dict[str, _Entry]:
    """Give the entries that have the types of what is measured; somebody may have edited others."""
    try:
        return _ENTRIES.validate_python(images)
    except ValidationError as problem:
        edited = {error["loc"][0] for error in problem.errors(include_url=False, include_input=False)}
        return _ENTRIES.validate_python({name: entry for name, entry in images.items() if name not in edited})
