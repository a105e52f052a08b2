"""From checked datasets to stages: what would run, under which key, in how many steps."""

from lorarecipe.plan.choice import ChoiceStage
from lorarecipe.plan.compile import compile_plan
from lorarecipe.plan.data import DataStage
from lorarecipe.plan.delivery import Delivery, Plan
from lorarecipe.plan.fetch import FetchStage, plan_of_fetches
from lorarecipe.plan.gpu import is_on_gpu
from lorarecipe.plan.lora import BaseFile, Lora, Role
from lorarecipe.plan.measure import GateStage, LeakStage
from lorarecipe.plan.merge import MergeStage
from lorarecipe.plan.model import Model
from lorarecipe.plan.picks import PickStage
from lorarecipe.plan.rehearsal import rehearsal_of
from lorarecipe.plan.sample import Arm, SampleStage
from lorarecipe.plan.stage import Source, Stage
from lorarecipe.plan.steps import Bucket, Steps
from lorarecipe.plan.train import LORA, OUTPUT, TrainStage

__all__ = [
    "LORA",
    "OUTPUT",
    "Arm",
    "BaseFile",
    "Bucket",
    "ChoiceStage",
    "DataStage",
    "Delivery",
    "FetchStage",
    "GateStage",
    "LeakStage",
    "Lora",
    "MergeStage",
    "Model",
    "PickStage",
    "Plan",
    "Role",
    "SampleStage",
    "Source",
    "Stage",
    "Steps",
    "TrainStage",
    "compile_plan",
    "is_on_gpu",
    "plan_of_fetches",
    "rehearsal_of",
]
