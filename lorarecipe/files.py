"""What every room needs of the file system: digests, atomic writes, our folders."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import platformdirs


def canonical_json(value: Any) -> str:  # noqa: ANN401 - JSON is any
    """Give the one JSON text of a value: sorted keys, no spaces, ASCII; what keys are hashed from."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest_of(value: Any) -> str:  # noqa: ANN401 - JSON is any
    """SHA-256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


Stamp = tuple[int, int, int, int]


def stamp_of(status: os.stat_result) -> Stamp:
    """Size, times of the last writing (of content, of anything) and inode: a file that was changed differs in one.

    Moving the folder that it is in changes none of them.
    """
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def large_file_digest(path: Path) -> str:
    """SHA-256 of a checkpoint, remembered by path, size, times and inode.

    A checkpoint of 2 to 7 GB takes seconds to read; the memory is a hint in our own folder and is dropped
    as soon as any of these differs.
    """
    stamp = [*stamp_of(path.stat())]
    memory = home() / "digests.json"
    try:
        known = json.loads(memory.read_text("utf-8"))
    except (OSError, ValueError):
        known = {}
    known = known if isinstance(known, dict) else {}
    match known.get(name := str(path.resolve())):
        case [*then, str(digest)] if then == stamp:
            return digest
    digest = file_digest(path)
    write_atomic(memory, canonical_json(known | {name: [*stamp, digest]}))
    return digest


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old one or the whole new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Read the process's umask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def home() -> Path:
    """Folder of the store and the trainers: ``LORARECIPE_HOME``, or the platform's data folder."""
    named = os.environ.get("LORARECIPE_HOME")
    return Path(named).absolute() if named else Path(platformdirs.user_data_dir("lorarecipe", appauthor=False))


def vendor(name: str) -> Path:
    """Path of a file of ``vendor/``: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "vendor" / name
    return inside if inside.exists() else package.parent / "vendor" / name
