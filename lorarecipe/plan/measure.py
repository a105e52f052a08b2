"""What is measured of drawn pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lorarecipe.measures import gate, leak
from lorarecipe.plan.data import DataStage
from lorarecipe.plan.models import AsksModels
from lorarecipe.plan.sample import Arm, SampleStage
from lorarecipe.plan.stage import Source, Stage


@dataclass(frozen=True)
class GateStage(Stage):
    """The verdict on a base, or on the checkpoint that it was merged into, by the pictures that it has drawn.

    ``renders`` are what the pictures are compared with: the base's own, or where these are not at hand the target's,
    which come from the same cameras. ``version`` is that of the measures.
    """

    kind = "gate"
    pictures: SampleStage
    renders: DataStage
    version: int = gate.VERSION

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return "what the base does not draw as its renders are, the target will learn, and bring along"

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """The pictures, and the renders."""
        return (self.pictures, self.renders)

    def identity(self) -> dict[str, object]:
        """Pictures, renders, and the way of measuring."""
        return {"version": self.version, "pictures": self.pictures.key, "renders": self.renders.key}


@dataclass(frozen=True)
class LeakStage(AsksModels, Stage):
    """What a LoRA brings along besides its character, by the samples of every arm.

    ``renders`` are those that the LoRA was trained on, compared at ``resolution``, width and height in pixels.
    ``models`` are files of further models that are asked, by the key of ``[samples]`` that names their folder;
    ``measures`` are the numbers that are taken, by their keys, each with its version; ``version`` is that of the means.
    """

    kind = "leak"
    arms: Mapping[Arm, tuple[SampleStage, ...]]
    renders: DataStage
    resolution: tuple[int, int]
    models: Mapping[str, tuple[Source, ...]]
    measures: Mapping[str, int]
    version: int = leak.VERSION

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return "what came along from the renders besides the character: white background, 3D look, pose"

    @property
    def samples(self) -> tuple[tuple[Arm, SampleStage], ...]:
        """Every stage of pictures, with its arm."""
        return tuple((arm, stage) for arm, stages in self.arms.items() for stage in stages)

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """The pictures, and the renders."""
        return (*(stage for _, stage in self.samples), self.renders)

    def identity(self) -> dict[str, object]:
        """Pictures by their arms, renders, models, and the way of measuring."""
        return {
            "version": self.version,
            "measures": dict(self.measures),
            "arms": {arm: [stage.key for stage in stages] for arm, stages in self.arms.items()},
            "renders": self.renders.key,
            "resolution": list(self.resolution),
            "models": self.model_digests,
        }
