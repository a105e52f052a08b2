"""Draw the pictures of one stage, telling how many there are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from lorarecipe.events import Event, Sampled
from lorarecipe.plan import SampleStage
from lorarecipe.trainer import launch
from lorarecipe.trainer.commands import Command


def sample(stage: SampleStage, command: Command, folder: Path) -> Iterator[Event]:
    """Draw what is missing in ``folder``.

    Raises
    ------
    TrainingFailed
        When the sampler ends with another code than 0.
    """
    told = -1

    def count() -> Sampled | None:
        nonlocal told
        done = sum((folder / name).exists() for name in stage.names)
        if done == told:
            return None
        told = done
        return Sampled(stage.key, done, len(stage.names))

    with closing(launch(command, count)) as lines:
        yield from (event for event in lines if isinstance(event, Sampled))
