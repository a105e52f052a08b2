"""Which stages are computed on a GPU."""

from __future__ import annotations

from typing import TypeGuard

from lorarecipe.plan.sample import SampleStage
from lorarecipe.plan.stage import Stage
from lorarecipe.plan.train import TrainStage


def is_on_gpu(stage: Stage) -> TypeGuard[TrainStage | SampleStage]:
    """Tell whether a stage is computed on a GPU where there is one: trainings and samples, unless on the CPU."""
    return isinstance(stage, TrainStage | SampleStage) and stage.device != "cpu"
