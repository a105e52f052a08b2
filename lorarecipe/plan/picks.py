"""Drawn pictures that the author picked to train on."""

from __future__ import annotations

from dataclasses import dataclass

from lorarecipe.plan.data import DataStage
from lorarecipe.plan.sample import SampleStage
from lorarecipe.plan.stage import Stage


@dataclass(frozen=True)
class PickStage(DataStage):
    """A copy of the drawn pictures that the author picked; their captions are the prompts."""

    kind = "picks"
    drawn: SampleStage

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return "the pictures that were picked, for the final training"

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """The pictures to pick from."""
        return (self.drawn,)

    @property
    def size(self) -> int:
        """Not known before the pictures are drawn, and little."""
        return 0

    def identity(self) -> dict[str, object]:
        """Where they come from, and which they are."""
        return {"version": 1, "drawn": self.drawn.key, "picks": [image.path.name for image in self.groups[0]]}
