"""What can go wrong with a hub, in words that say what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from lorarecipe.errors import NetworkFailed
from lorarecipe.hub.address import Address


class NotOnTheHub(Exception):
    """The hub has no such repository, revision or path."""


def is_offline() -> bool:
    """Tell whether the author forbids the network, by the variable that huggingface_hub reads."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


@contextmanager
def hub_failures(address: Address) -> Iterator[None]:
    """Turn what huggingface_hub raises into our errors.

    Raises
    ------
    NotOnTheHub
        When the hub has no such repository, revision or path.
    NetworkFailed
        When the hub cannot be reached, refuses, or breaks off.
    """
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as problem:
        message = f"{address}: its owner asks for an agreement; accept it on the page of {address.repo}, then log in"
        raise NetworkFailed(f"{message}: hf auth login (or set HF_TOKEN)") from problem
    except errors.RepositoryNotFoundError as problem:
        message = f"found {address}, expected a repository that is there; where it is private, log in first"
        raise NotOnTheHub(f"{message}: hf auth login (or set HF_TOKEN)") from problem
    except errors.RevisionNotFoundError as problem:
        message = f"found {address}, expected a branch, a tag or a commit of {address.repo}"
        raise NotOnTheHub(message) from problem
    except errors.EntryNotFoundError as problem:
        raise NotOnTheHub(f"found {address}, expected a path that {address.repo} has at this revision") from problem
    except errors.HfHubHTTPError as problem:
        raise NetworkFailed(f"{address}: {_refusal(problem.response.status_code)}") from problem
    except (errors.HFValidationError, errors.OfflineModeIsEnabled) as problem:
        raise NetworkFailed(f"{address}: {_first_line(problem)}") from problem
    except (httpx2.HTTPError, OSError) as problem:
        message = f"{address}: the hub cannot be reached, or broke off ({_first_line(problem)})"
        raise NetworkFailed(f"{message}; look at the network, then run the same again") from problem


def _refusal(status: int) -> str:
    match status:
        case 401 | 403:
            return f"the hub refuses (HTTP {status}); log in with a token that may do this: hf auth login (or HF_TOKEN)"
        case 409 | 412:
            return f"the repository changed meanwhile (HTTP {status}); look at it, then run the same again"
        case 429:
            return "the hub asks to wait (HTTP 429: too many requests); run the same again in some minutes"
        case _:
            return f"the hub answered with HTTP {status}; run the same again later"


def _first_line(problem: Exception) -> str:
    return str(problem).strip().partition("\n")[0] or type(problem).__name__
