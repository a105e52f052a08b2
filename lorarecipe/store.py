"""The store: a key names a finished folder, or nothing.

Layout of ``<home>/store``: ``<kind>-<key>/`` finished, with ``manifest.json`` inside; ``making/<kind>-<key>/`` at work;
``pulled/<kind>-<key>/`` on its way from a shared store; ``locks/``, with the lock and the lease of each stage that
somebody is at. A folder is built under ``making`` and moved into place last, so a name at the top is complete. The lock
is the operating system's and goes with its owner.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import TypeAdapter

from lorarecipe.errors import Busy
from lorarecipe.files import Stamp, canonical_json, file_digest, read_file, read_json, size_of, stamp_of, write_atomic
from lorarecipe.lease import read_lease, signing

MANIFEST = "manifest.json"
IDENTITY = "stage.json"
#: in a stage whose inputs changed while it was made: what changed; such a stage is kept, and never found
CHANGED = "changed.json"
#: who works in an attempt; another that begins the same stage writes its own
_OWNER = "owner"
#: seconds between two looks at the lease of another host
_APART = 5.0


@dataclass(frozen=True)
class Sealed:
    """A file as it was when it was flushed: while ``stamp`` holds, nobody has written into it."""

    sha256: str
    stamp: Stamp


#: the first manifests had the size of each file alone
_MANIFEST = TypeAdapter(dict[str, Sealed | int])


class Store:
    """Finished stages by name (``kind-key``)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._owned: dict[str, str] = {}

    def find(self, name: str) -> Path | None:
        """Folder of a finished stage whose files are what they were, or None.

        A file with other times or another inode than it was flushed with is read again and compared by its digest, so a
        store that was copied serves, and one that was damaged does not.
        """
        folder, manifest = self.root / name, self.manifest(name)
        if not manifest or CHANGED in manifest:
            return None
        try:
            fresh = {file: sealed for file, sealed in manifest.items() if _stamp(folder / file) != sealed.stamp}
            if any(not _is_the_same(folder / file, sealed) for file, sealed in fresh.items()):
                return None
            if fresh:
                renewed = {
                    file: Sealed(s.sha256 or file_digest(folder / file), _stamp(folder / file))
                    for file, s in manifest.items()
                }
                with suppress(OSError):  # of a store that is only read, it is found so every time
                    write_atomic(folder / MANIFEST, _manifest_text(renewed))
        except OSError:
            return None
        return folder

    def manifest(self, name: str) -> dict[str, Sealed]:
        """Files of a finished stage; none when it is not finished, or its manifest is torn."""
        try:
            manifest = _MANIFEST.validate_json(read_file(self.root / name / MANIFEST), strict=True)
        except (OSError, ValueError):  # a pydantic error is a ValueError
            return {}
        return {
            file: Sealed("", (sealed, 0, 0, 0)) if isinstance(sealed, int) else sealed
            for file, sealed in manifest.items()
        }

    def names(self) -> list[str]:
        """All that is at the top of the store, finished or damaged."""
        inner = {"making", "locks"}
        return sorted(path.name for path in self.root.glob("*-*") if path.is_dir() and path.name not in inner)

    def damaged_files(self, name: str) -> list[str]:
        """Read every file of a stage again; give those that are not what they were."""
        manifest = self.manifest(name)
        damaged = [file for file, sealed in manifest.items() if not _is_the_same(self.root / name / file, sealed)]
        return damaged if manifest else [MANIFEST]

    def path(self, name: str) -> Path:
        """Where a finished stage is, or will be."""
        return self.root / name

    def attempt(self, name: str) -> Path:
        """Where a stage is at work."""
        return self.root / "making" / name

    def pulled(self, name: str) -> Path:
        """Where a stage is on its way from a shared store."""
        return self.root / "pulled" / name

    @contextmanager
    def lock(self, name: str, *, wait: bool) -> Iterator[bool]:
        """Hold a stage's lock; gives False at once when another holds it and ``wait`` is false.

        The operating system's lock keeps other processes of this host out. Where a folder is shared, some file systems
        keep it to the host, so a lease is held beside it, which other hosts and containers respect.
        """
        (self.root / "locks").mkdir(parents=True, exist_ok=True)
        lock, lease = FileLock(self.root / "locks" / f"{name}.lock"), self.root / "locks" / f"{name}.lease"
        try:
            lock.acquire(timeout=-1 if wait else 0)
        except Timeout:
            yield False
            return
        try:
            while (other := read_lease(lease)) and not other.is_here and other.lives:
                if not wait:
                    yield False
                    return
                time.sleep(_APART)
            with signing(lease):
                yield True
        finally:
            lock.release()

    def begin(self, name: str, identity: Mapping[str, object], kept: frozenset[str] = frozenset()) -> Path:
        """Give a folder to work in, with what the stage's key was made from. Needs the lock.

        What a broken attempt left there is removed, but for the names in ``kept``.
        """
        folder = self.attempt(name)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            if path.name not in kept:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        write_atomic(folder / IDENTITY, canonical_json(identity))
        self._own(name)
        return folder

    def adopt(self, name: str) -> Path:
        """Keep what was pulled as a finished stage, in place of what was begun here. Needs the lock."""
        folder = self.attempt(name)
        if folder.exists():
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.pulled(name).replace(folder)
        self._own(name)
        return self.keep(name)

    def identities(self, kind: str) -> Iterator[tuple[str, dict[str, object]]]:
        """Names and identities of the finished stages of a kind, newest first."""
        folders = sorted(self.root.glob(f"{kind}-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
        for folder in folders:
            with suppress(OSError, ValueError):
                identity = read_json(folder / IDENTITY) if self.find(folder.name) else None
                if isinstance(identity, dict):
                    yield folder.name, identity

    def seal(self, name: str) -> dict[str, Sealed]:
        """Have the disk hold what the attempt holds, and take each file's digest."""
        folder = self.attempt(name)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / _OWNER]
        return {path.relative_to(folder).as_posix(): _sealed(path) for path in files}

    def keep(self, name: str, sealed: dict[str, Sealed] | None = None) -> Path:
        """Write the manifest of an attempt and move it into place. Needs the lock.

        ``sealed`` are files that were sealed before; those that changed since, and new ones, are sealed now.

        Raises
        ------
        Busy
            When the attempt is no longer ours: a worker that lost its lock publishes nothing.
        """
        folder, finished = self.attempt(name), self.path(name)
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path != folder / _OWNER]
        manifest = {}
        for path in files:
            file = path.relative_to(folder).as_posix()
            before = (sealed or {}).get(file)
            manifest[file] = before if before and before.stamp == _stamp(path) else _sealed(path)
        self._require_ownership(name)
        write_atomic(folder / MANIFEST, _manifest_text(manifest))
        (folder / _OWNER).unlink()
        if finished.exists():  # it was found broken, or it would have been reused
            shutil.rmtree(finished)
        folder.replace(finished)
        if os.name == "posix":
            _flush(self.root)
        return finished

    def attempts(self) -> list[str]:
        """Stages that were begun and not finished."""
        return sorted({path.name for folder in ("making", "pulled") for path in (self.root / folder).glob("*-*")})

    def size(self, name: str) -> int:
        """Bytes of a stage, finished or begun."""
        return sum(map(size_of, (self.path(name), self.attempt(name), self.pulled(name))))

    def remove(self, name: str) -> None:
        """Remove a stage, its manifest first: what is left of it is never taken for whole. Needs the lock."""
        (self.path(name) / MANIFEST).unlink(missing_ok=True)
        for folder in (self.path(name), self.attempt(name), self.pulled(name)):
            if folder.exists():
                shutil.rmtree(folder)

    def _own(self, name: str) -> None:
        self._owned[name] = secrets.token_hex(16)
        write_atomic(self.attempt(name) / _OWNER, self._owned[name])

    def _require_ownership(self, name: str) -> None:
        try:
            owner = (self.attempt(name) / _OWNER).read_text("utf-8")
        except OSError:
            owner = ""
        if owner != self._owned.get(name):
            raise Busy(f"{self.attempt(name)}: another run took this stage over; run the same command again")


def _manifest_text(manifest: dict[str, Sealed]) -> str:
    return canonical_json({file: asdict(sealed) for file, sealed in manifest.items()})


def _sealed(path: Path) -> Sealed:
    _flush(path)
    stamp, digest = _stamp(path), file_digest(path)
    return Sealed(digest, stamp)


def _stamp(path: Path) -> Stamp:
    return stamp_of(path.stat())


def _is_the_same(path: Path, sealed: Sealed) -> bool:
    try:
        if path.stat().st_size != sealed.stamp[0]:
            return False
        return not sealed.sha256 or file_digest(path) == sealed.sha256
    except OSError:
        return False


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
