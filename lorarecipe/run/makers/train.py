"""Train: seal the states on the way, and pause when that is asked for or the disk runs full."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from lorarecipe import signals
from lorarecipe.errors import Interrupted, LorarecipeError, MachineNotReady, TrainingFailed
from lorarecipe.events import Event, Pausing, Progress
from lorarecipe.plan import LORA, TrainStage
from lorarecipe.records import Proof
from lorarecipe.run.makers.maker import Attempt, StagePaused, Start
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, launch, prove_lora, read_progress, train_command
from lorarecipe.trainer.diagnosis import not_a_number
from lorarecipe.trainer.states import PAUSE, State, clear_states, last_state, seal_pause, seal_states, unseal

#: seconds between two looks at the disk
_LOOK = 5.0
#: steps in a row whose loss is not a number, at which a training is stopped: it never recovers
_STRAYED = 3


def prepare(stage: TrainStage, trainer: Installation, store: Store) -> Start:
    """Go on from the last state that an earlier attempt has left."""
    state = last_state(store.attempt(stage.short))
    command = train_command(stage, trainer, store, state)
    return Start(command, state.kept, str(state), state) if state else Start(command)


def make(stage: TrainStage, attempt: Attempt) -> Iterator[Event]:
    """Train; a state from which no further step is taken is not used again.

    Whoever calls it holds the signals of a training that can go on.

    Raises
    ------
    StagePaused
        At the first signal, or when the disk has no room for another state.
    TrainingFailed
        When the trainer ends with another code than 0, or its loss is no longer a number.
    """
    command, state, folder = attempt.start.command, attempt.start.state, attempt.folder
    assert command
    pausable, stepped = stage.can_go_on, False
    watch = _Watch(stage, attempt.title, folder)
    # sd-scripts counts a resumed training's steps from nothing
    done = _step(stage, state) if state and not attempt.trainer.traits.COUNTS_ON else 0
    strayed = 0
    # closed here, whatever is raised: the trainer and its pipe must not wait for the garbage collector
    with closing(launch(command, watch) if pausable else launch(command)) as lines:
        try:
            for event in read_progress(stage.key, lines, done):
                if isinstance(event, Progress):
                    strayed = strayed + 1 if event.loss is not None and not math.isfinite(event.loss) else 0
                    stepped = stepped or event.step > done
                    if not strayed:
                        # a state is good once a step was taken from it whose loss is a number
                        seal_states(folder, (event.step - 1) // stage.steps.per_epoch + 1)
                    if strayed >= _STRAYED:
                        yield event
                        raise TrainingFailed(not_a_number(stage, event.step, folder))
                yield event
        except TrainingFailed:
            if state and not stepped:
                unseal(state)
            raise
    if strayed:
        raise TrainingFailed(not_a_number(stage, stage.steps.total, folder))
    if watch.cause and not (folder / LORA).exists() and (paused := seal_pause(folder)):
        raise StagePaused(watch.cause, _step(stage, paused), stage.steps.total)
    clear_states(folder, stage)


def prove(stage: TrainStage, attempt: Attempt) -> Proof:
    """Open the LoRA, and look at every number."""
    return prove_lora(stage.file(attempt.store.attempt), stage)


def _step(stage: TrainStage, state: State) -> int:
    return state.epochs * stage.steps.per_epoch + state.steps


@dataclass
class _Watch:
    """Asks a training to pause, once; ``cause`` is why."""

    stage: TrainStage
    title: str
    folder: Path
    cause: LorarecipeError | None = None
    _looked: float = field(default_factory=time.monotonic)

    def __call__(self) -> Pausing | None:
        if self.cause:
            return None
        why = ""
        if signum := signals.asked():
            why, self.cause = "a signal asks for it, a second one stops it at once", Interrupted(signum)
        elif time.monotonic() - self._looked > _LOOK:
            self._looked = time.monotonic()
            free, need = shutil.disk_usage(self.folder).free, self.stage.state_size
            if free < need:
                why = f"{free / 1e6:.0f} MB free, and a state takes {need / 1e6:.0f}"
                self.cause = MachineNotReady(f"{self.folder}: {why}; make room, then run the same again: it goes on")
        if not self.cause:
            return None
        (self.folder / PAUSE).touch()
        return Pausing(self.stage.key, self.title, self.stage.kind, why)
