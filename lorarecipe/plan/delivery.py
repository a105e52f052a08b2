"""A plan: stages in order, and what is delivered at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from lorarecipe.errors import count
from lorarecipe.plan.given import BaseFile
from lorarecipe.plan.stages import SampleStage, Stage, TrainStage
from lorarecipe.recipe import Engine, Recipe

#: What samples are drawn with
Arm = Literal["target", "control", "base"]


@dataclass(frozen=True)
class Delivery:
    """A finished LoRA that a recipe asks for."""

    name: str
    stage: TrainStage
    recipe: Recipe
    base: TrainStage | BaseFile | None
    arms: Mapping[Arm, tuple[SampleStage, ...]] = field(default_factory=dict)
    """Samples, by what they were drawn with: the last of an arm are of its finished LoRA."""
    gate: tuple[SampleStage, ...] = ()
    """What the base draws, and then the merged checkpoint."""
    candidates: SampleStage | None = None
    """Pictures to pick from."""
    picked: bool = True
    """Whether there is a LoRA to deliver; if not, only the candidates are."""

    @property
    def sampled(self) -> tuple[SampleStage, ...]:
        """Samples of every arm."""
        return tuple(stage for stages in self.arms.values() for stage in stages)

    @property
    def keys(self) -> frozenset[str]:
        """Keys of the stages that it came from."""
        arms = (self.stage, self.base, *(stage.lora for stage in (*self.sampled, self.candidates) if stage))
        trained = [stage for stage in arms if isinstance(stage, TrainStage)]
        others = [stage.key for stage in (self.stage.merged, self.candidates, *self.sampled, *self.gate) if stage]
        return frozenset([*others, *(key for stage in trained for key in (stage.key, stage.data.key))])


@dataclass(frozen=True)
class Plan:
    """What a run does, in order; ``titles`` name stages for people and are in no key."""

    engine: Engine
    stages: tuple[Stage, ...]
    titles: dict[str, str]
    deliveries: tuple[Delivery, ...]

    def title(self, stage: Stage) -> str:
        """What a stage is for."""
        return self.titles[stage.key]


def step_sum(stage: TrainStage) -> Iterator[str]:
    """Tell how long a training is: images x repeats, folder by folder; then buckets to batches to steps."""
    for group, repeats in zip(stage.data.groups, stage.repeats, strict=True):
        yield f"{count(len(group), 'image')} x {count(repeats, 'repeat')}"
    for bucket in stage.steps.buckets:
        batches = count(bucket.batches, "batch", "batches")
        yield f"{bucket.width}x{bucket.height}: {count(bucket.images, 'image visit')} -> {batches}"
    steps = stage.steps
    yield f"{count(steps.per_epoch, 'step')} an epoch, {count(steps.epochs, 'epoch')} -> {count(steps.total, 'step')}"
