"""Merge a base into its checkpoint."""

from __future__ import annotations

from pathlib import Path

from lorarecipe.plan import MergeStage
from lorarecipe.trainer.proof import opened, opened_lora
from lorarecipe.weights import merge


def merge_base(stage: MergeStage, lora: Path, place: Path) -> None:
    """Write the merged checkpoint to ``place``, in the form of the one that it is made from.

    Raises
    ------
    TrainingFailed
        When the base holds anything that has no weight there, or either cannot be read.
    """
    merge(opened(stage.model.path), opened_lora(lora), stage.strength, place, stage.model.family)
