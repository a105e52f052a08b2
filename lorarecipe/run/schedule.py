"""Which stage of a plan comes next: of those whose inputs are finished, the one that the plan names first."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from graphlib import TopologicalSorter

from lorarecipe.plan import Plan, Stage


class Schedule:
    """The stages of a plan that are ready; each is given once.

    Where one stage is made at a time, they come in the order of the plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._stages = plan.stages
        self._place = {stage.key: number for number, stage in enumerate(plan.stages)}
        self._sorter = TopologicalSorter(plan.graph)
        self._sorter.prepare()
        self._ready: list[int] = []
        self._collect()

    def take(self, takes: Callable[[Stage], bool]) -> Stage | None:
        """Give the first ready stage that ``takes`` accepts, or None."""
        for at, place in enumerate(self._ready):
            if takes(self._stages[place]):
                del self._ready[at]
                return self._stages[place]
        return None

    def done(self, stage: Stage) -> None:
        """Note that a stage is no longer waited for, whatever became of it."""
        self._sorter.done(stage.key)
        self._collect()

    def _collect(self) -> None:
        for key in self._sorter.get_ready():
            insort(self._ready, self._place[key])
