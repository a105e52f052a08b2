"""Draw the pictures of a stage, and tell how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from lorarecipe.errors import count
from lorarecipe.events import Event, Sampled
from lorarecipe.plan import SampleStage
from lorarecipe.records import Proof
from lorarecipe.run.makers.maker import Attempt, Start
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, launch, prove_samples, sample_command, whole_pictures


def prepare(stage: SampleStage, trainer: Installation, store: Store) -> Start:
    """Keep the pictures that an earlier attempt has drawn."""
    drawn = whole_pictures(store.attempt(stage.short), stage)
    command = sample_command(stage, trainer, store, drawn) if stage.names.keys() - drawn else None
    return Start(command, drawn, count(len(drawn), "picture") if drawn else "")


def make(stage: SampleStage, attempt: Attempt) -> Iterator[Event]:
    """Draw what is missing.

    Raises
    ------
    TrainingFailed
        When the sampler ends with another code than 0.
    """
    if not attempt.start.command:
        return
    last = -1

    def count() -> Sampled | None:
        nonlocal last
        done = sum((attempt.folder / name).exists() for name in stage.names)
        if done == last:
            return None
        last = done
        return Sampled(stage.key, done, len(stage.names))

    with closing(launch(attempt.start.command, count)) as lines:
        yield from (event for event in lines if isinstance(event, Sampled))


def prove(stage: SampleStage, attempt: Attempt) -> Proof:
    """Look whether all pictures are there."""
    return prove_samples(attempt.folder, stage)
