"""What can go wrong with a shared store, in words that say what to do."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from lorarecipe.errors import NetworkFailed
from lorarecipe.shared.address import VARIABLE, SharedAddress
from lorarecipe.trainer.process import is_secret

#: libraries whose errors are the network's or the server's
_BACKENDS = {"aiobotocore", "aiohttp", "botocore", "fsspec", "gcsfs", "google", "httpx2", "huggingface_hub", "requests"}
#: seconds before a second try, when a connection dropped; s3fs and gcsfs try some times themselves before they say so
_PAUSE = 2.0
_LOGIN = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile (AWS_PROFILE)",
    "gs": "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS",
    "hf": "hf auth login, or HF_TOKEN",
    "file": "the permissions of the folder",
}
T = TypeVar("T")


class NotThere(Exception):
    """The shared store has no such file."""


class _Dropped(NetworkFailed):
    """The connection dropped, or the server was too busy: another try may do."""


def tried(work: Callable[[], T], address: SharedAddress) -> T:
    """Do something with a shared store, and once more where the connection drops.

    Raises
    ------
    NotThere
        When it has no such file.
    NetworkFailed
        When it cannot be reached, or refuses.
    """
    try:
        return _done(work, address)
    except _Dropped:
        time.sleep(_PAUSE)
    return _done(work, address)


def wait(answers: Iterable[int], address: SharedAddress, patience: float) -> None:
    """Wait for all answers of a shared store; ``answers`` says again and again how many have come.

    Raises
    ------
    NetworkFailed
        When none has come for ``patience`` seconds.
    """
    before, since = 0, time.monotonic()
    for number in answers:
        if number > before:
            before, since = number, time.monotonic()
        elif time.monotonic() - since > patience:
            message = f"{address}: the shared store has not answered for {patience:g} seconds"
            raise NetworkFailed(f"{message}; look at the network and at {VARIABLE}")


def _done(work: Callable[[], T], address: SharedAddress) -> T:
    with _failures(address):
        return work()


@contextmanager
def _failures(address: SharedAddress) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as problem:
        raise NotThere(_first_line(problem)) from problem
    except Exception as problem:
        library = type(problem).__module__.partition(".")[0]
        if not isinstance(problem, OSError | ValueError) and library not in _BACKENDS:
            raise  # ours, or a bug; a ValueError is of an answer that a library cannot read, or does not expect
        if isinstance(problem, OSError) and problem.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS}:
            raise
        if _status(problem) == 404:
            raise NotThere(_first_line(problem)) from problem
        if _is_refusal(problem):
            message = f"{address}: the shared store refuses ({_first_line(problem)})"
            raise NetworkFailed(f"{message}; what gives access to it: {_LOGIN[address.scheme]}") from problem
        message = f"{address}: the shared store cannot be reached, or broke off ({_first_line(problem)})"
        raise _Dropped(f"{message}; look at the network and at {VARIABLE}, then run the same again") from problem


def _is_refusal(problem: Exception) -> bool:
    """Tell whether the server knows who asks, or cannot know it, and says no; another try gets the same answer."""
    words = f"{type(problem).__name__} {_first_line(problem)}".lower()
    return (
        isinstance(problem, PermissionError)
        or _status(problem) in {401, 403}
        or "credential" in words
        or "forbidden" in words
    )


def _status(problem: Exception) -> int | None:
    """Give the HTTP status that an error of huggingface_hub's or gcsfs's is about."""
    return getattr(getattr(problem, "response", None), "status_code", None) or getattr(problem, "code", None)


def _first_line(problem: Exception) -> str:
    """Give what the library says, without the credentials that a provider may have repeated."""
    said = str(problem)
    for name, value in os.environ.items():
        if len(value) >= 4 and is_secret(name, value):
            said = said.replace(value, "<secret>")
    lines = said.strip().splitlines() or [type(problem).__name__]
    if lines[0].startswith("Forbidden: ") and len(lines) > 1:  # gcsfs: the address, and below it who lacks what
        return " ".join([lines[0].partition(" ")[0], lines[1]])
    return lines[0]
