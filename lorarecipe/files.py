"""What every room needs of the file system: digests, atomic writes, our folders."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    with draft_of(path) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Give a name to write a file under: it takes the file's place when it is on the disk, and all went well.

    The name holds its process: what a killed one left is removed by the next that writes the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent, path.name)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}.part")
    try:
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def sweep(folder: Path, name: str = "*") -> None:
    """Remove the drafts of a file (of all, without ``name``) that dead processes left in a folder."""
    name = name if name == "*" else glob.escape(name)
    for left in folder.glob(f".{name}.*-*.part"):
        import psutil  # seldom needed

        process = left.name.split(".")[-2].partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            left.unlink(missing_ok=True)


def home() -> Path:
    """Folder of the store and the trainers: ``LORARECIPE_HOME``, or the platform's data folder."""
    named = os.environ.get("LORARECIPE_HOME")
    return Path(named).absolute() if named else Path(platformdirs.user_data_dir("lorarecipe", appauthor=False))


def vendor(name: str) -> Path:
    """Path of a file of ``vendor/``: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "vendor" / name
    return inside if inside.exists() else package.parent / "vendor" / name
