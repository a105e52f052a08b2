"""Fetch what a recipe names on a hub."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event as Flag

from lorarecipe.events import Event, Fetching
from lorarecipe.hub import fetch
from lorarecipe.plan import FetchStage
from lorarecipe.records import Proof
from lorarecipe.run.makers.maker import Attempt, begin_anew

prepare = begin_anew

#: seconds between two events on how much has come
_BETWEEN = 0.5


class _Ended(Exception):
    """The run has ended meanwhile."""


def make(stage: FetchStage, attempt: Attempt) -> Iterator[Event]:
    """Fetch it, and say how much has come; every digest is compared as it comes."""
    came, ended = 0, Flag()

    def on_bytes(size: int) -> None:
        nonlocal came
        came += size
        if ended.is_set():
            raise _Ended

    with ThreadPoolExecutor(1) as transfer:
        fetching = transfer.submit(fetch, stage.remote, stage.file(attempt.store.attempt), on_bytes)
        try:
            while wait([fetching], _BETWEEN).not_done:
                yield Fetching(stage.key, came, stage.size)
            fetching.result()
        finally:
            ended.set()


def prove(stage: FetchStage, attempt: Attempt) -> Proof:  # noqa: ARG001 - the form of every maker's `prove`
    """Give what was compared."""
    return {"files": len(stage.remote.files), "digest": stage.remote.digest[:12]}
