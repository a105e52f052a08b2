"""Where a run is: which of its stages, for how long, and for how much longer."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from lorarecipe import events
from lorarecipe.errors import clock
from lorarecipe.estimates import shortest
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
    jobs
        How many stages are made side by side.
    graph
        What must be finished before each stage can begin.
    titles
        What each stage is for.
    """

    steps: Mapping[str, int]
    now: Callable[[], float] = time.monotonic
    jobs: int = 1
    graph: Mapping[str, Sequence[str]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    begun: float = field(init=False)
    running: dict[str, None] = field(default_factory=dict)
    """Keys of the stages that are under way."""
    _seen: dict[str, None] = field(default_factory=dict)
    _ends: dict[str, float] = field(default_factory=dict)
    """When each training that is under way will end, by its own estimate."""
    _pace: float | None = None
    """Seconds of a step of the last training that was timed."""

    def __post_init__(self) -> None:
        self.begun = self.now()

    def add(self, event: Event) -> None:
        """Note an event."""
        match event:
            case events.Waiting() | events.Pulling() | events.Started():
                self.running[event.key] = self._seen[event.key] = None
            case events.Reused() | events.Skipped():
                self._seen[event.key] = None
                self.running.pop(event.key, None)
            case events.Progress(seconds_left=float() as left):
                self._ends[event.key] = self.now() + left
                if event.steps > event.step:
                    self._pace = left / (event.steps - event.step)
            case events.Paused() | events.Finished() | events.Failed():
                self._ends.pop(event.key, None)
                self.running.pop(event.key, None)
            case _:
                pass

    def left_of(self, key: str) -> float | None:
        """Give the seconds that a training still needs, where it has said so."""
        return max(0.0, self._ends[key] - self.now()) if key in self._ends else None

    def left(self) -> float | None:
        """Give the seconds until the trainings have ended; None before one has been timed.

        It is the longer of two: all of them shared out evenly among those that go on side by side, and the longest
        chain of trainings that need each other.
        """
        if self._pace is None:
            return None
        alone = {key: self.left_of(key) or 0.0 for key in self._ends}
        alone |= {key: steps * self._pace for key, steps in self.steps.items() if key not in self._seen}
        return shortest(self.steps, alone, self.graph, self.jobs)

    def waiting(self) -> str:
        """Say which stage is the next to begin, and what it waits for; nothing where one stage is made at a time."""
        later = [key for key in self.steps if key not in self._seen]
        if self.jobs == 1 or not later or not self._seen:
            return ""
        first = later[0]
        open_ends = [key for key in self.graph.get(first, ()) if key in self.running or key not in self._seen]
        what = ", ".join(self.titles.get(key, key) for key in open_ends) or "another stage to end"
        return f"next: {self.titles.get(first, first)}, which waits for {what}"

    def __str__(self) -> str:
        """Say it in a line that fits into 80 columns."""
        stage = f"stage {max(1, len(self._seen))} of {len(self.steps)}" if self.steps else "starting"
        running = [f"{len(self.running)} running"] if self.jobs > 1 else []
        parts = [stage, *running, f"{clock(self.now() - self.begun)} elapsed"]
        if (left := self.left()) is not None:
            parts.append(f"about {clock(left)} of training left")
        return ", ".join(parts)


def course_of(plan: Plan, jobs: int = 1) -> Course:
    """Begin the course of a plan, of which ``jobs`` stages are made side by side."""
    steps = {stage.key: stage.steps.total if isinstance(stage, TrainStage) else 0 for stage in plan.stages}
    return Course(steps, jobs=jobs, graph=plan.graph, titles=plan.titles)
