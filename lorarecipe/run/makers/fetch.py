"""Fetch what a recipe names on a hub."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from lorarecipe.events import Event, Fetching
from lorarecipe.hub import fetched_bytes
from lorarecipe.plan import FetchStage
from lorarecipe.records import Proof
from lorarecipe.run.makers.maker import Attempt, Start
from lorarecipe.store import Store
from lorarecipe.trainer import Installation

#: in an attempt: files that are not whole yet
_DRAFTS = "drafts"


def prepare(stage: FetchStage, trainer: Installation, store: Store) -> Start:  # noqa: ARG001 - the form of every maker's `prepare`
    """Go on with the files of a folder that have come: each is there only whole."""
    return Start(kept=frozenset({stage.remote.within.parts[0]}))


def make(stage: FetchStage, attempt: Attempt) -> Iterator[Event]:
    """Fetch it, and say how much has come; every digest is compared as it comes."""
    folder = attempt.folder
    with closing(fetched_bytes(stage.remote, stage.file(attempt.store.attempt), folder / _DRAFTS)) as transfer:
        for came in transfer:
            yield Fetching(stage.key, came, stage.size)
    if (folder / _DRAFTS).exists():
        (folder / _DRAFTS).rmdir()


def prove(stage: FetchStage, attempt: Attempt) -> Proof:  # noqa: ARG001 - the form of every maker's `prove`
    """Give what was compared."""
    return {"files": len(stage.remote.files), "digest": stage.remote.digest[:12]}
