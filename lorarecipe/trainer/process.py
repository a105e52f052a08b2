"""The one file that starts a stage's process, and the one that ends it."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import IO, TypeVar

import psutil

from lorarecipe.errors import TrainingFailed
from lorarecipe.trainer import windows
from lorarecipe.trainer.commands import Command
from lorarecipe.trainer.diagnosis import explain

LOG = "trainer.log"

#: a trainer has no use for a secret, and its environment can be read by others
_SECRET = re.compile(r"(?i).*(token|secret|pass(w|phrase|file)|credential|auth).*|.*(key|_pat)|(AWS|HF|WANDB)_.*")
_SECRET_VALUE = re.compile(r"\w+://[^/@]*:[^/@]*@")
_POLITE_SECONDS = 1.0
_T = TypeVar("_T")


def _nothing() -> None:
    return None


def scrubbed_environment(over: dict[str, str]) -> dict[str, str]:
    """Our environment without secrets and without another Python's settings, with a command's own on top."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not _SECRET.fullmatch(name)
        and not _SECRET_VALUE.search(value)
        and name not in {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"}
    }
    return ours | over


def launch(command: Command, meanwhile: Callable[[], _T | None] = _nothing) -> Generator[str | _T, None, None]:
    """Start a command in a session of its own and yield its lines, split at CR and LF, as they come.

    Everything it prints is kept in ``trainer.log``. However the loop over the lines ends, the process and all
    that it started are gone afterwards. ``meanwhile`` is called twice a second or more often (on Windows, when there is
    something to read); what it gives is yielded among the lines.

    Raises
    ------
    TrainingFailed
        When it ends with another code than 0; with its first traceback, and a hint where the cause is known.
    """
    for name, text in command.files.items():
        (command.folder / name).write_text(text, encoding="utf-8")
    log = command.folder / LOG
    env = scrubbed_environment(command.env) | {"LORARECIPE_PARENT": str(os.getpid())}
    with log.open("wb") as record:
        process = subprocess.Popen(
            command.argv,
            cwd=command.folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=windows.CREATION_FLAGS,
        )
        job = None
        try:
            job = windows.hold(process.pid)
            assert process.stdout is not None
            yield from _lines(process, process.stdout, record, meanwhile)
            code = process.wait()
        finally:
            stop(process)
            windows.release(job)
            if process.stdout:
                process.stdout.close()
    if code:
        raise TrainingFailed(explain(log.read_text("utf-8", errors="replace"), code, log))


def _lines(
    process: subprocess.Popen[bytes], stream: IO[bytes], record: IO[bytes], meanwhile: Callable[[], _T | None]
) -> Iterator[str | _T]:
    """Read until the end of the stream, or until the process is gone and the stream is silent."""
    pending = b""
    for chunk in _chunks(process, stream):
        if (told := meanwhile()) is not None:
            yield told
        record.write(chunk)
        record.flush()
        *lines, pending = re.split(rb"[\r\n]+", pending + chunk)
        for line in lines:
            yield line.decode("utf-8", errors="replace")
    if pending:
        yield pending.decode("utf-8", errors="replace")


def _chunks(process: subprocess.Popen[bytes], stream: IO[bytes]) -> Iterator[bytes]:
    """Give what there is to read, and nothing twice a second."""
    if os.name == "nt":  # pipes cannot be selected there
        while chunk := os.read(stream.fileno(), 1 << 16):
            yield chunk
        return
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            if selector.select(timeout=0.5):
                chunk = os.read(stream.fileno(), 1 << 16)
                if not chunk:
                    return
                yield chunk
            elif process.poll() is not None:
                return
            else:
                yield b""


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and its session: politely, then firmly; nothing of it is left when this returns."""
    if os.name == "posix":
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_POLITE_SECONDS)
        _signal_group(process.pid, signal.SIGKILL)
    elif process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
    process.wait()


def _signal_group(group: int, signum: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signum)


def log_of(folder: Path) -> Path:
    """Log of the stage at work in a folder."""
    return folder / LOG
