"""What every room needs of the file system: digests, atomic writes, our folders."""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import platform
import re
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BufferedReader
from pathlib import Path

import platformdirs

from lorarecipe.errors import MachineNotReady


def canonical_json(value: object) -> str:
    """Give the one JSON text of a value: sorted keys, no spaces, ASCII; what keys are hashed from."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest_of(value: object) -> str:
    """SHA-256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


#: seconds without a change after which a draft of another machine is taken for abandoned
_ABANDONED = 3600.0
#: what is raised when something is written where it may only be read
READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
#: bytes of a text that is read whole: a recipe, a record, a configuration
MOST_TEXT = 64_000_000


@contextmanager
def open_regular(path: Path) -> Iterator[BufferedReader]:
    """Open a file for reading, but never a pipe, a socket or a device, on which a read may wait for ever.

    Raises
    ------
    OSError
        When the path cannot be opened, or is not a regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    if not stat.S_ISREG(path.stat().st_mode):  # opening a device may already do something
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with os.fdopen(os.open(path, flags), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        yield stream


def read_file(path: Path, most: int = MOST_TEXT) -> bytes:
    """Read a regular file of at most ``most`` bytes.

    Raises
    ------
    OSError
        When the file cannot be read, is not a regular file, or is larger.
    """
    with open_regular(path) as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"larger than {most} bytes", str(path))
    return content


def read_json(path: Path) -> object:
    """Read a JSON file.

    Raises
    ------
    OSError
        As ``read_file`` does.
    ValueError
        When the file is not JSON in UTF-8, or is nested too deeply to be read.
    """
    try:
        read: object = json.loads(read_file(path))
    except RecursionError as problem:
        raise ValueError("nested too deeply") from problem
    return read


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a regular file's bytes."""
    with open_regular(path) as stream:
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
        read = read_json(memory)
    except (OSError, ValueError):
        read = {}
    # entries of another form are left out, or they would be written back for ever
    known = {name: entry for name, entry in read.items() if _is_entry(entry)} if isinstance(read, dict) else {}
    match known.get(name := str(path.resolve())):
        case [*then, str(digest)] if then == stamp:
            return digest
    digest = file_digest(path)
    try:
        write_atomic(memory, canonical_json(known | {name: [*stamp, digest]}))
    except OSError as problem:
        if problem.errno not in READ_ONLY:  # a home that is only read is none the worse
            raise
    return digest


def _is_entry(entry: object) -> bool:
    """Tell whether a remembered digest has its form: the numbers of a stamp, and 64 hexadecimal digits."""
    match entry:
        case [*numbers, str(digest)]:
            return all(type(number) is int for number in numbers) and bool(re.fullmatch("[0-9a-f]{64}", digest))
    return False


def write_atomic(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader sees the old one or the whole new one, never a part.

    A file that is written anew keeps its permissions.
    """
    with draft_of(path) as draft:
        draft.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def draft_of(path: Path) -> Iterator[Path]:
    """Give an empty file to write to: it takes the place of ``path`` when it is on the disk, and all went well.

    The file is new and ours, whatever had its name before, and has the permissions of the file that it replaces. Its
    name holds its machine and process: what a killed process left is removed by the next that writes the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent, path.name)
    draft = path.with_name(f".{fitting(path.name)}.{machine()}-{os.getpid()}-{threading.get_native_id()}.part")
    mode = stat.S_IMODE(path.stat().st_mode) if path.is_file() and not path.is_symlink() else None
    # a link of the draft's name, which somebody may have put there, is removed and not followed
    draft.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    os.close(os.open(draft, flags, 0o666 if mode is None else 0o600))
    try:
        yield draft
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        if mode is not None:
            draft.chmod(mode)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def fitting(name: str, room: int = 60) -> str:
    """Shorten a file name so that ``room`` bytes can be added to it; a digest keeps shortened names apart.

    A name may have 255 bytes on most file systems, and fewer on some that encrypt (143).
    """
    content = os.fsencode(name)
    if len(content) <= 143 - room:
        return name
    digest = hashlib.sha256(content).hexdigest()[:16]
    # cut between characters, not within one
    short = content[: 143 - room - len(digest) - 1].decode("utf-8", "ignore")
    return f"{short}~{digest}"


def size_of(path: Path) -> int:
    """Count the bytes of a file, or of all files in a folder; none where nothing is there."""
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


def sweep(folder: Path, name: str = "*") -> None:
    """Remove the drafts of a file (of all, without ``name``) that dead processes left in a folder.

    A draft of another machine, which shares the folder, is left alone until nobody has written to it for an hour.
    """
    name = name if name == "*" else glob.escape(fitting(name))
    for left in folder.glob(f".{name}.*-*-*.part"):
        import psutil  # seldom needed

        where, process, _ = left.name.split(".")[-2].split("-", 2)
        with suppress(OSError):
            abandoned = (
                process.isdecimal() and not psutil.pid_exists(int(process))
                if where == machine()
                else time.time() - left.stat().st_mtime > _ABANDONED
            )
            if abandoned:
                left.unlink(missing_ok=True)


@cache
def machine() -> str:
    """Name, in 12 hexadecimal digits, this host since its last boot, and its space of process numbers."""
    parts = [platform.node()]
    for source in ("/proc/sys/kernel/random/boot_id", "/proc/self/ns/pid"):
        with suppress(OSError):
            path = Path(source)
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text("ascii"))
    if len(parts) == 1:  # not Linux
        import psutil

        parts.append(f"{psutil.boot_time():.0f}")
    return digest_of(parts)[:12]


def home() -> Path:
    """Folder of the store and the trainers: ``LORARECIPE_HOME``, or the platform's data folder.

    Raises
    ------
    MachineNotReady
        When the path is not UTF-8: trainers read paths from files, which are.
    """
    named = os.environ.get("LORARECIPE_HOME")
    path = Path(named).absolute() if named else Path(platformdirs.user_data_dir("lorarecipe", appauthor=False))
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError as problem:
        message = f"{path}: the path is not UTF-8, expected one that is; name another folder: LORARECIPE_HOME"
        raise MachineNotReady(message) from problem
    return path


def vendor(name: str) -> Path:
    """Path of a file of ``vendor/``: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "vendor" / name
    return inside if inside.exists() else package.parent / "vendor" / name
