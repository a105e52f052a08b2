"""Merge a base into its checkpoint."""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.events import Event
from lorarecipe.plan import MergeStage
from lorarecipe.records import Proof
from lorarecipe.run.makers.maker import Attempt, begin_anew
from lorarecipe.trainer import merge_base, prove_merge

prepare = begin_anew


def make(stage: MergeStage, attempt: Attempt) -> Iterator[Event]:
    """Write the merged checkpoint."""
    merge_base(stage, stage.base.file(attempt.store.path), stage.file(attempt.store.attempt))
    yield from ()


def prove(stage: MergeStage, attempt: Attempt) -> Proof:
    """Compare it with the checkpoint and the base."""
    return prove_merge(stage.file(attempt.store.attempt), stage.base.file(attempt.store.path), stage)
