"""A worker that shares its stages with other machines, by a shared store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Literal

from lorarecipe.errors import NetworkFailed
from lorarecipe.events import Damaged, Event, Fetching, Pulling, Pushed, Pushing, Reused, Unsent
from lorarecipe.hub import OnBytes, in_threads
from lorarecipe.plan import Stage
from lorarecipe.run.workers import Changed, Worker
from lorarecipe.shared import DamagedStage, SharedStage, SharedStore, shared_store, stage_of
from lorarecipe.store import Store


def with_shared_store(workers: Sequence[Worker]) -> Sequence[Worker]:
    """Have workers share their stages where ``LORARECIPE_STORE`` names a shared store.

    Raises
    ------
    MachineNotReady
        When the variable holds no address of a store, or the library that reads it is not installed.
    """
    shared = shared_store()
    there = dict[str, SharedStage]()
    return [Sharing(worker, shared, there) for worker in workers] if shared else workers


@dataclass(frozen=True)
class Sharing:
    """What the shared store has is pulled; what is made is pushed."""

    worker: Worker
    shared: SharedStore
    _there: dict[str, SharedStage] = field(default_factory=dict)
    """Stages that the shared store had when the run began, by their names; the workers of a run have one table."""

    @property
    def store(self) -> Store:
        """Where its results are found, on this machine."""
        return self.worker.store

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of what it pulls, by the names of the stages; known once it has looked."""
        return {name: stage.size for name, stage in self._there.items()}

    def require(self, stages: Sequence[Stage], titles: Mapping[str, str]) -> None:
        """Look whether the shared store can be read and written, and whether what it lacks can be made.

        Raises
        ------
        NetworkFailed
            When it cannot be reached, or refuses.
        """
        self._there.update(self.shared.having(stage.short for stage in stages if stage.is_shared))
        self.shared.require_writable()
        self.worker.require([stage for stage in stages if stage.short not in self._there], titles)

    def takes(self, stage: Stage) -> bool:
        """Tell whether it can make a stage."""
        return self.worker.takes(stage)

    def submit(self, stage: Stage, title: str, changed: Changed) -> Generator[Event, None, None]:
        """Pull a stage that is not here, or make it, and push it where the shared store lacks it."""
        pulled, damaged = False, False
        if stage.is_shared and not self.store.find(stage.short):
            try:
                pulled = yield from self._pulled(stage, title)
            except DamagedStage as problem:
                damaged = True
                yield Damaged(stage.key, title, stage.kind, str(problem))
        with closing(self.worker.submit(stage, title, changed)) as making:
            for event in making:
                yield replace(event, source=str(self.shared.address)) if pulled and isinstance(event, Reused) else event
        if stage.is_shared and not pulled and self.store.find(stage.short):  # not found where a source has changed
            yield from self._pushed(stage, title, replaces=damaged)

    def _pulled(self, stage: Stage, title: str) -> Generator[Event, None, bool]:
        """Pull a stage while holding its lock, and tell whether it came; another run of this machine may be at it."""
        name, store = stage.short, self.store
        with store.lock(name, wait=False) as held:
            if not held or store.find(name):
                return False
            try:
                found = self.shared.find(name)
            except NetworkFailed:
                if name in self._there:  # it would be trained again for nothing
                    raise
                found = None
            if not found:
                return False
            yield Pulling(stage.key, title, stage.kind, str(self.shared.address), found.size)
            draft, identity = store.pulled(name), stage.identity()
            try:
                yield from _transferred(
                    stage.key,
                    found.size,
                    "pulling",
                    lambda on_bytes: self.shared.pull(found, identity, draft, on_bytes),
                )
                store.adopt(name)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            return True

    def _pushed(self, stage: Stage, title: str, *, replaces: bool) -> Generator[Event, None, None]:
        """Push a stage; where that fails, it is kept here, and the run goes on."""
        name, where = stage.short, str(self.shared.address)
        try:
            if not replaces and self.shared.having([name]):
                return
            size = stage_of(name, self.store).size
            yield Pushing(stage.key, title, stage.kind, where, size)
            yield from _transferred(
                stage.key,
                size,
                "pushing",
                lambda on_bytes: self.shared.push(name, self.store, on_bytes, replaces=replaces),
            )
            yield Pushed(stage.key, title, stage.kind, where)
        except (NetworkFailed, OSError) as problem:
            yield Unsent(stage.key, title, stage.kind, str(problem))


def _transferred(
    key: str, size: int, way: Literal["pulling", "pushing"], transfer: Callable[[OnBytes], None]
) -> Generator[Event, None, None]:
    """Do a transfer of ``size`` bytes, and say meanwhile how many have gone over; closed, it ends."""
    with closing(in_threads([transfer])) as counts:
        for gone in counts:
            yield Fetching(key, min(gone, size), size, way)  # what was sent twice is counted once
