"""Merge a base into its checkpoint."""

from __future__ import annotations

from pathlib import Path

from lorarecipe.plan import MergeStage
from lorarecipe.trainer.proof import opened, opened_lora
from lorarecipe.weights import merge


def merge_base(stage: MergeStage, lora: Path, destination: Path) -> None:
    """Write the merged checkpoint to ``destination``, in the form of the one that it is made from.

    Raises
    ------
    TrainingFailed
        When the base holds anything that has no weight there, or either cannot be read.
    """
    model = stage.model
    merge(opened(model.main.path), opened_lora(lora), stage.strength, destination, model.traits.modules_of)
