"""Drawn pictures that are picked by measures, to train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lorarecipe.plan.data import DataStage
from lorarecipe.plan.models import AsksModels
from lorarecipe.plan.sample import SampleStage
from lorarecipe.plan.stage import Source, Stage


@dataclass(frozen=True)
class ChoiceStage(AsksModels, DataStage):
    """The best of the drawn pictures, each with its prompt for a caption; which they are is known when it is made.

    ``renders`` are the character's, which pictures are compared with; ``models`` as in ``LeakStage``, of which CCIP
    says how like the character is. ``groups`` hold as many images as are picked, without their contents.
    """

    kind = "choice"
    drawn: SampleStage
    renders: DataStage
    models: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    versions: Mapping[str, object] = field(default_factory=dict)
    """Of the way of picking, and of each measure."""

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return "of the flat pictures that were drawn, those most like the character, of several prompts"

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """The pictures to pick from, and the renders."""
        return (self.drawn, self.renders)

    @property
    def paths(self) -> list[list[str]]:
        """Not known before the pictures are drawn."""
        return []

    @property
    def size(self) -> int:
        """Not known before the pictures are drawn, and little."""
        return 0

    def identity(self) -> dict[str, object]:
        """Pictures, renders, how many are picked, and the way of picking."""
        return {
            "versions": dict(self.versions),
            "drawn": self.drawn.key,
            "renders": self.renders.key,
            "keep": len(self.groups[0]),
            "models": self.model_digests,
        }
