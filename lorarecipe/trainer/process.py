"""The one file that starts a stage's process, and the one that ends it."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, TypeVar

import psutil

from lorarecipe.errors import TrainingFailed
from lorarecipe.trainer import windows
from lorarecipe.trainer.commands import Command
from lorarecipe.trainer.diagnosis import explain

LOG = "trainer.log"

#: what a trainer needs of our environment: programs and folders, the loader of libraries, Python, threads, the GPU
_PASSED = re.compile(
    r"PATH|HOME|USER|LOGNAME|LANG|LANGUAGE|LC_\w+|TZ|TERM|TMPDIR|TEMP|TMP|SHELL|PWD|LD_(LIBRARY_PATH|PRELOAD)"
    r"|DYLD_\w+|VIRTUAL_ENV|CONDA_PREFIX|XDG_(CACHE|CONFIG|DATA)_HOME|PYTHONHASHSEED|PYTHONWARNINGS"
    r"|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|OS|USERPROFILE|HOMEDRIVE|HOMEPATH|(LOCAL)?APPDATA|PROGRAMDATA"
    r"|PROGRAMFILES(\(X86\))?|PROGRAMW6432|NUMBER_OF_PROCESSORS|PROCESSOR_\w+"
    r"|(OMP|GOMP|KMP|MKL|OPENBLAS|NUMEXPR|VECLIB|TBB)_\w+"
    r"|(CUDA|NVIDIA|NCCL|CUBLAS|CUDNN|TORCH|PYTORCH|TORCHINDUCTOR|TRITON|ACCELERATE|HIP|HSA|ROCR|ROCM|MIOPEN|ZE|GLOO)_\w+"
)
#: and yet not
_SECRET = re.compile(r"(?i).*(token|secret|pass(w|phrase|file)|credential|auth|key|cookie|session).*|.*_pat")
_SECRET_VALUE = re.compile(r"\w+://[^/@]*:[^/@]*@")
#: the author's own list of further variables, by name, separated by spaces or commas
_NAMED = "LORARECIPE_PASS_ENV"
_POLITE_SECONDS = 1.0
_T = TypeVar("_T")


def _nothing() -> None:
    return None


def scrubbed_environment(over: dict[str, str]) -> dict[str, str]:
    """Give what a trainer needs of our environment, with a command's own variables on top.

    Any other variable may be a secret, whatever it is called: only those of a list are passed on, and those that the
    author names in ``LORARECIPE_PASS_ENV``.
    """
    named = set(re.split(r"[\s,]+", os.environ.get(_NAMED, "")))
    ours = {name: value for name, value in os.environ.items() if name in named or _is_passed(name, value)}
    return ours | over


def _is_passed(name: str, value: str) -> bool:
    return bool(_PASSED.fullmatch(name.upper())) and not is_secret(name, value)


def is_secret(name: str, value: str) -> bool:
    """Tell whether a variable of the environment is a secret: by its name, or by a password in an address."""
    return bool(_SECRET.fullmatch(name) or _SECRET_VALUE.search(value))


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
    with ExitStack() as ending, log.open("wb") as record:
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
        assert process.stdout is not None
        # each of these is done, whatever the others raise: the last one first
        ending.callback(process.stdout.close)
        ending.callback(stop, process)
        job = windows.hold(process.pid)
        ending.callback(windows.release, job)
        yield from _lines(process, process.stdout, record, meanwhile)
        code = process.wait()
    if code:
        raise TrainingFailed(explain(log.read_text("utf-8", errors="replace"), code, log, command.less_memory))


def _lines(
    process: subprocess.Popen[bytes], stream: IO[bytes], record: IO[bytes], meanwhile: Callable[[], _T | None]
) -> Iterator[str | _T]:
    """Read until the end of the stream, or until the process is gone and the stream is silent."""
    pending = b""
    for chunk in _chunks(process, stream):
        if (event := meanwhile()) is not None:
            yield event
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
    if sys.platform == "win32":
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
    else:
        _signal_group(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_POLITE_SECONDS)
        _signal_group(process.pid, signal.SIGKILL)
    process.wait()


def _signal_group(group: int, signum: int) -> None:
    if sys.platform != "win32":  # it has no groups of processes
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signum)


def log_of(folder: Path) -> Path:
    """Log of the stage at work in a folder."""
    return folder / LOG
