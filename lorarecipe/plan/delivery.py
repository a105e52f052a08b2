"""A plan: stages in order, and what is delivered at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lorarecipe.plan.choice import ChoiceStage
from lorarecipe.plan.lora import Lora
from lorarecipe.plan.measure import GateStage, LeakStage
from lorarecipe.plan.sample import Arm, SampleStage
from lorarecipe.plan.stage import Stage
from lorarecipe.plan.train import TrainStage
from lorarecipe.recipe import Recipe


@dataclass(frozen=True)
class Delivery:
    """A finished LoRA that a recipe asks for."""

    name: str
    stage: TrainStage
    recipe: Recipe
    base: Lora | None
    arms: Mapping[Arm, tuple[SampleStage, ...]] = field(default_factory=dict)
    """Samples, by what they were drawn with: the last of an arm are of its finished LoRA."""
    gate: tuple[GateStage, ...] = ()
    """Verdicts on the base, and then on the merged checkpoint."""
    leak: LeakStage | None = None
    """What is measured of the samples; none without samples."""
    candidates: SampleStage | None = None
    """Pictures to pick from."""
    choice: ChoiceStage | None = None
    """What was picked of them, where it was by measures."""
    picked: bool = True
    """Whether ``stage`` is to be delivered; if not, it has drawn the candidates, and they wait for the author."""
    target: TrainStage | None = None
    """The LoRA that ``stage`` was refined from, or is to be; delivered beside it."""

    @property
    def loras(self) -> dict[str, TrainStage]:
        """The LoRAs that are delivered, by the names of their files without extension."""
        refined = {self.name: self.stage} if self.picked else {}
        return refined | ({f"{self.name}-target": self.target} if self.target else {})

    @property
    def sampled(self) -> tuple[SampleStage, ...]:
        """Samples of every arm."""
        return tuple(stage for stages in self.arms.values() for stage in stages)

    @cached_property
    def keys(self) -> frozenset[str]:
        """Keys of the stages that it came from."""
        found: dict[str, Stage] = {}
        open_ends: list[Stage] = [self.stage, *self.sampled, *self.gate]
        open_ends += [stage for stage in (self.leak, self.candidates) if stage]
        while open_ends:
            stage = open_ends.pop()
            if stage.key not in found:
                found[stage.key] = stage
                open_ends += stage.inputs
        return frozenset(found)


@dataclass(frozen=True)
class Compiled:
    """What one recipe adds to a plan: its result, its stages with their titles, and what waits for what besides."""

    delivery: Delivery
    stages: Sequence[tuple[Stage, str]]
    waits: Sequence[tuple[Stage, Stage]] = ()


@dataclass(frozen=True)
class Plan:
    """What a run does, in order; ``titles`` name stages for people and are in no key."""

    engine: str
    stages: tuple[Stage, ...]
    titles: dict[str, str]
    deliveries: tuple[Delivery, ...]
    waits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a stage must wait for beside its inputs, by keys."""

    def title(self, stage: Stage) -> str:
        """What a stage is for."""
        return self.titles[stage.key]

    def needed_by(self, stage: Stage) -> list[Delivery]:
        """What a stage is made for."""
        return [delivery for delivery in self.deliveries if stage.key in delivery.keys]

    @cached_property
    def graph(self) -> dict[str, tuple[str, ...]]:
        """What must be finished before each stage can begin, by keys: the stages are in an order that obeys it."""
        return {
            stage.key: (
                *(part.key for part in stage.inputs if part.key in self.titles),
                *self.waits.get(stage.key, ()),
            )
            for stage in self.stages
        }
