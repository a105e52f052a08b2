"""What can go wrong with a hub, in words that say what to do."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError

from lorarecipe.errors import NetworkFailed
from lorarecipe.hub.address import Address


class NotOnTheHub(NetworkFailed):
    """The hub has no such repository, revision or path."""


def is_offline() -> bool:
    """Tell whether the author forbids the network, by the variables that huggingface_hub reads."""
    named = os.environ.get("HF_HUB_OFFLINE") or os.environ.get("TRANSFORMERS_OFFLINE") or ""
    return named.upper() in {"1", "ON", "YES", "TRUE"}


def endpoint() -> str | None:
    """Give the address of the hub that the author names; None for huggingface_hub's own."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


@contextmanager
def hub_failures(address: Address) -> Iterator[None]:
    """Turn what huggingface_hub raises into our errors.

    Raises
    ------
    NotOnTheHub
        When the hub has no such repository, revision or path.
    NetworkFailed
        When the hub cannot be reached, refuses, or breaks off.
    OSError
        When the disk cannot take what comes.
    """
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except (
        httpx2.HTTPError,
        httpx2.InvalidURL,
        errors.EntryNotFoundError,
        OSError,
        RuntimeError,
        ValueError,
    ) as problem:
        failure = _failure(address, _behind(problem))
        if failure is None:
            raise
        raise failure from problem


@contextmanager
def quiet() -> Iterator[None]:
    """Keep huggingface_hub's own remarks away: they come in between ours, and name addresses that let anybody in."""
    from huggingface_hub.utils import logging as remarks

    before = remarks.get_verbosity()
    remarks.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        remarks.set_verbosity(before)


def _behind(problem: BaseException) -> BaseException:
    """Give what went wrong first: huggingface_hub says of any failure that there is no file on this machine either."""
    from huggingface_hub import errors

    while isinstance(problem, errors.LocalEntryNotFoundError | RuntimeError) and problem.__cause__:
        problem = problem.__cause__
    return problem


def _failure(address: Address, problem: BaseException) -> NetworkFailed | None:
    """Give our error; None of what is no failure of a hub, such as a full disk."""
    import httpx2
    from huggingface_hub import errors

    match problem:
        case errors.GatedRepoError():
            return NetworkFailed(
                f"{address}: the owner of {address.repo} asks for an agreement; accept it on its page, then log in: "
                "hf auth login (or set HF_TOKEN)"
            )
        case errors.RepositoryNotFoundError():
            return NotOnTheHub(
                f"found {address}, expected a repository that is there; if it is private, log in first: "
                "hf auth login (or set HF_TOKEN)"
            )
        case errors.RevisionNotFoundError():
            return NotOnTheHub(f"found {address}, expected a branch, a tag or a commit of {address.repo}")
        case errors.EntryNotFoundError():
            return NotOnTheHub(f"found {address}, expected a path that {address.repo} has at this revision")
        case errors.HfHubHTTPError():
            return NetworkFailed(f"{address}: {_refusal(problem.response.status_code)}")
        case errors.HFValidationError():
            return NotOnTheHub(f"found {address}, expected a name that a repository can have")
        case errors.OfflineModeIsEnabled():
            return not_here(address)
        case OSError() if problem.errno is not None and not isinstance(problem, ConnectionError):
            return None
        case JSONDecodeError():
            return NetworkFailed(f"{address}: found an answer that is none of a hub; check the network and HF_ENDPOINT")
        case httpx2.HTTPError() | httpx2.InvalidURL() | OSError():
            return NetworkFailed(
                f"{address}: the hub cannot be reached, or the transfer broke off ({_first_line(problem)}); check the "
                "network, then run the same command again"
            )
    return None


def not_here(address: Address) -> NetworkFailed:
    """Give the error of what is not on this machine, while the author forbids the network."""
    return NetworkFailed(
        f"{address}: it is not on this machine, and HF_HUB_OFFLINE forbids the network; unset it, then run the same "
        "command again"
    )


def _refusal(status: int) -> str:
    match status:
        case 401 | 403:
            return (
                f"the hub refuses access (HTTP {status}); log in with a token that allows it: hf auth login "
                "(or set HF_TOKEN)"
            )
        case 409 | 412:
            return f"the repository was changed at the same time (HTTP {status}); look at it, then run the same again"
        case 429:
            return "the hub refuses more requests for now (HTTP 429); run the same command again in some minutes"
        case _:
            return f"the hub answered with HTTP {status}; run the same command again later"


def _first_line(problem: BaseException) -> str:
    return str(problem).strip().partition("\n")[0] or type(problem).__name__
