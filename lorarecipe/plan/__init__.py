"""From checked datasets to stages: what would run, under which key, in how many steps."""

from lorarecipe.plan.compile import Delivery, Plan, compile_plan
from lorarecipe.plan.pin import Pin, pin
from lorarecipe.plan.rehearsal import rehearsal_of
from lorarecipe.plan.stages import BaseFile, DataStage, MergeStage, Model, SampleStage, Stage, TrainStage
from lorarecipe.plan.steps import Bucket, Steps

__all__ = [
    "BaseFile",
    "Bucket",
    "DataStage",
    "Delivery",
    "MergeStage",
    "Model",
    "Pin",
    "Plan",
    "SampleStage",
    "Stage",
    "Steps",
    "TrainStage",
    "compile_plan",
    "pin",
    "rehearsal_of",
]
