"""Where a run is: which of its stages, for how long, and for how much longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lorarecipe import events
from lorarecipe.errors import clock
from lorarecipe.events import Event
from lorarecipe.plan import Plan, TrainStage


@dataclass
class Course:
    """A fold of a run's events.

    Parameters
    ----------
    steps
        Steps of each stage by its key, in the order of the plan; 0 of a stage that is no training.
    now
        Gives seconds, from any moment on.
    """

    steps: Mapping[str, int]
    now: Callable[[], float] = time.monotonic
    begun: float = field(init=False)
    _seen: list[str] = field(default_factory=list)
    _ends: dict[str, float] = field(default_factory=dict)
    """When each training that is under way will end, by its own estimate."""
    _pace: float | None = None
    """Seconds of a step of the last training that was timed."""

    def __post_init__(self) -> None:
        self.begun = self.now()

    def add(self, event: Event) -> None:
        """Note an event."""
        match event:
            case events.Reused() | events.Waiting() | events.Started() | events.Skipped():
                if event.key not in self._seen:
                    self._seen.append(event.key)
            case events.Progress(seconds_left=float() as left):
                self._ends[event.key] = self.now() + left
                if event.steps > event.step:
                    self._pace = left / (event.steps - event.step)
            case events.Paused() | events.Finished() | events.Failed():
                self._ends.pop(event.key, None)
            case _:
                pass

    def left_of(self, key: str) -> float | None:
        """Give the seconds that a training still needs, where it has said so."""
        return max(0.0, self._ends[key] - self.now()) if key in self._ends else None

    def left(self) -> float | None:
        """Give the seconds that the trainings still need; None before one has been timed."""
        if self._pace is None:
            return None
        later = sum(steps for key, steps in self.steps.items() if key not in self._seen)
        return sum(self.left_of(key) or 0.0 for key in self._ends) + later * self._pace

    def __str__(self) -> str:
        """Say it in a line that fits into 80 columns."""
        stage = f"stage {max(1, len(self._seen))} of {len(self.steps)}" if self.steps else "starting"
        parts = [stage, f"{clock(self.now() - self.begun)} elapsed"]
        if (left := self.left()) is not None:
            parts.append(f"about {clock(left)} of training left")
        return ", ".join(parts)


def course_of(plan: Plan) -> Course:
    """Begin the course of a plan."""
    return Course({stage.key: stage.steps.total if isinstance(stage, TrainStage) else 0 for stage in plan.stages})
