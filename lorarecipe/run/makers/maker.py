"""How a stage is made: what every maker offers, and what it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from lorarecipe.errors import LorarecipeError
from lorarecipe.events import Event
from lorarecipe.plan import Stage
from lorarecipe.records import Proof
from lorarecipe.store import Store
from lorarecipe.trainer import Command, Installation
from lorarecipe.trainer.states import State

S_contra = TypeVar("S_contra", bound=Stage, contravariant=True)


@dataclass(frozen=True)
class Start:
    """What an attempt begins with: what an earlier one has left, and the process that it needs."""

    command: Command | None = None
    """None where no process is started."""
    kept: frozenset[str] = frozenset()
    """Names in the attempt's folder that it goes on with; all others are removed."""
    after: str = ""
    """What it goes on after, in words."""
    state: State | None = None
    """The state that a training goes on from."""


@dataclass(frozen=True)
class Attempt:
    """A stage that is being made: its title for people, the trainer, the store, and the folder to work in."""

    title: str
    trainer: Installation
    store: Store
    folder: Path
    start: Start


class Maker(Protocol[S_contra]):
    """A module that makes the stages of one kind."""

    def prepare(self, stage: S_contra, trainer: Installation, store: Store) -> Start:
        """Say what an attempt begins with; nothing is written."""

    def make(self, stage: S_contra, attempt: Attempt) -> Iterator[Event]:
        """Make the stage in the attempt's folder."""

    def prove(self, stage: S_contra, attempt: Attempt) -> Proof:
        """Look whether the result is what it should be, and give what was found.

        Raises
        ------
        TrainingFailed
            When it is not.
        """


def begin_anew(stage: Stage, trainer: Installation, store: Store) -> Start:  # noqa: ARG001 - the form of every maker's `prepare`
    """Begin with nothing that an earlier attempt has left: the stage takes seconds."""
    return Start()


class StagePaused(Exception):
    """A stage has ended before its last step, and its state is kept; ``cause`` is why."""

    def __init__(self, cause: LorarecipeError, step: int, steps: int) -> None:
        super().__init__(str(cause))
        self.cause, self.step, self.steps = cause, step, steps
