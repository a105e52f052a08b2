"""The store: a key names a finished folder, or nothing.

Layout of ``<home>/store``: ``<kind>-<key>/`` finished, with ``manifest.json`` inside; ``making/<kind>-<key>/``
at work; ``locks/``. A folder is built under ``making`` and moved into place last, so a name at the top is
complete. The lock is the operating system's and goes with its owner.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lorarecipe.files import canonical_json, write_atomic

MANIFEST = "manifest.json"
IDENTITY = "stage.json"


class Store:
    """Finished stages by name (``kind-key``)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, name: str) -> Path | None:
        """Folder of a finished stage whose files are all there at their size, or None."""
        folder = self.root / name
        try:
            manifest: dict[str, int] = json.loads((folder / MANIFEST).read_text("utf-8"))
            whole = all((folder / file).stat().st_size == size for file, size in manifest.items())
        except (OSError, ValueError, AttributeError):
            return None
        return folder if whole else None

    def path(self, name: str) -> Path:
        """Where a finished stage is, or will be."""
        return self.root / name

    def attempt(self, name: str) -> Path:
        """Where a stage is at work."""
        return self.root / "making" / name

    @contextmanager
    def lock(self, name: str, *, wait: bool) -> Iterator[bool]:
        """Hold a stage's lock; gives False at once when another holds it and ``wait`` is false."""
        (self.root / "locks").mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / "locks" / f"{name}.lock")
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def begin(self, name: str, identity: dict[str, Any]) -> Path:
        """Give an empty folder to work in, with what the stage's key was made from. Needs the lock.

        What a broken attempt left there is removed.
        """
        folder = self.attempt(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_atomic(folder / IDENTITY, canonical_json(identity))
        return folder

    def identities(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Names and identities of the finished stages of a kind, newest first."""
        folders = sorted(self.root.glob(f"{kind}-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in folders:
            if self.find(folder.name):
                yield folder.name, json.loads((folder / IDENTITY).read_text("utf-8"))

    def flush(self, name: str) -> list[Path]:
        """Have the disk hold what the attempt holds; gives its files."""
        files = sorted(path for path in self.attempt(name).rglob("*") if path.is_file())
        for path in files:
            _flush(path)
        return files

    def keep(self, name: str) -> Path:
        """Flush the attempt to the disk, write its manifest, and move it into place. Needs the lock."""
        folder, place = self.attempt(name), self.path(name)
        files = self.flush(name)
        sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}
        write_atomic(folder / MANIFEST, canonical_json(sizes))
        if place.exists():  # it was found broken, or it would have been reused
            shutil.rmtree(place)
        folder.replace(place)
        if os.name == "posix":
            _flush(self.root)
        return place


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
