"""From checked datasets to stages: what would run, under which key, in how many steps."""

from lorarecipe.plan.compile import compile_plan
from lorarecipe.plan.delivery import Arm, Delivery, Plan, step_sum
from lorarecipe.plan.given import BaseFile, DataStage, Model
from lorarecipe.plan.pin import Pin, pin
from lorarecipe.plan.rehearsal import rehearsal_of
from lorarecipe.plan.stages import MergeStage, PickStage, SampleStage, Stage, TrainStage
from lorarecipe.plan.steps import Bucket, Steps

__all__ = [
    "Arm",
    "BaseFile",
    "Bucket",
    "DataStage",
    "Delivery",
    "MergeStage",
    "Model",
    "PickStage",
    "Pin",
    "Plan",
    "SampleStage",
    "Stage",
    "Steps",
    "TrainStage",
    "compile_plan",
    "pin",
    "rehearsal_of",
    "step_sum",
]
