"""A caption file before and after; shown as a diff, or written with the original kept."""

from __future__ import annotations

import difflib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.errors import CheckFailed, printable
from lorarecipe.files import fitting, read_file, write_atomic

#: beside the captions; hidden from every scan, ours and sd-scripts'
ORIGINALS = ".originals"


@dataclass(frozen=True)
class Change:
    """What a caption file holds (nothing when there is none), and what it is to hold."""

    path: Path
    before: bytes | None
    after: str
    edits: tuple[tuple[str, str], ...] = ()
    """Tags that are written otherwise, each with what stands in its place; nothing where it is taken out."""

    @property
    def is_none(self) -> bool:
        """Whether the file holds that already."""
        return self.before == self.after.encode()


def diff(change: Change) -> str:
    """Give a unified diff; bytes that are no UTF-8 are shown escaped."""
    before = (change.before or b"").decode("utf-8", "backslashreplace").splitlines()
    name = printable(str(change.path))
    old = name if change.before is not None else "(no file)"
    lines = difflib.unified_diff(
        [printable(line) for line in before], change.after.splitlines(), old, name, lineterm="", n=0
    )
    return "\n".join(lines)


def described(change: Change) -> str:
    """Say what a change does, tag by tag, and give the caption before and after."""
    lines = [f"  {old!r} becomes {new!r}" if new else f"  {old!r} is taken out" for old, new in change.edits]
    before = (change.before or b"").decode("utf-8", "backslashreplace")
    lines += [f"  before: {before.rstrip()}", f"  after:  {change.after.rstrip()}"]
    return "\n".join(map(printable, lines))


def write(change: Change) -> Path | None:
    """Write a caption, and give the path where its original is kept.

    The original goes to ``.originals`` beside it, under its name and the first digits of its SHA-256. A file that is
    there already is used only if it holds that very original; nothing is ever written over.

    Raises
    ------
    CheckFailed
        When the file is no longer what it was when it was read, or ``.originals`` is a link, which may lead anywhere.
    """
    now = read_file(change.path) if change.path.exists() else None
    if now != change.before:
        raise CheckFailed(f"{change.path}: changed while it was being looked at; run the same command again")
    kept = _keep(change.path, now) if now is not None else None
    write_atomic(change.path, change.after)
    return kept


def _keep(path: Path, content: bytes) -> Path:
    folder = path.parent / ORIGINALS
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise CheckFailed(
            f"{folder}: found a link or a file, expected a folder for originals; move it away, then run the same again"
        )
    digest = hashlib.sha256(content).hexdigest()
    stem = fitting(path.stem)
    for digits in (8, 16, len(digest)):
        kept = folder / f"{stem}.{digest[:digits]}{path.suffix}"
        if not os.path.lexists(kept):
            write_atomic(kept, content)
            return kept
        if not kept.is_symlink() and kept.is_file() and read_file(kept) == content:
            return kept
    raise CheckFailed(f"{kept}: found another file, expected the original of {path.name}; move it away")
