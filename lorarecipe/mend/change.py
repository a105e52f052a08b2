"""A caption file before and after; shown as a diff, or written with the original kept."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.errors import CheckFailed, printable
from lorarecipe.files import write_atomic

#: beside the captions; hidden from every scan, ours and sd-scripts'
ORIGINALS = ".originals"


@dataclass(frozen=True)
class Change:
    """What a caption file holds (nothing when there is none), and what it is to hold."""

    path: Path
    before: bytes | None
    after: str

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


def write(change: Change) -> Path | None:
    """Write a caption, and give the place where its original is kept.

    The original goes to ``.originals`` beside it, under its name and the first digits of its SHA-256, so that no two
    are ever written over each other.

    Raises
    ------
    CheckFailed
        When the file is no longer what it was when it was read.
    """
    now = change.path.read_bytes() if change.path.exists() else None
    if now != change.before:
        raise CheckFailed(f"{change.path}: changed while it was being looked at; run the same command again")
    kept = None
    if now is not None:
        digest = hashlib.sha256(now).hexdigest()[:8]
        kept = change.path.parent / ORIGINALS / f"{change.path.stem}.{digest}{change.path.suffix}"
        if not kept.exists():
            write_atomic(kept, now)
    write_atomic(change.path, change.after)
    return kept
