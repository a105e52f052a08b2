"""The only room that knows kohya: commands, processes, proofs, and the setup of the pinned checkout."""

from lorarecipe.trainer.commands import Command, sample_command, train_command
from lorarecipe.trainer.installed import Installation, find_trainer
from lorarecipe.trainer.logs import logged_curves
from lorarecipe.trainer.merging import merge_base
from lorarecipe.trainer.optimizers import try_optimizers
from lorarecipe.trainer.process import launch
from lorarecipe.trainer.progress import read_progress
from lorarecipe.trainer.proof import prove_lora, prove_merge, prove_samples, whole_pictures
from lorarecipe.trainer.staging import stage_images, stage_picks

__all__ = [
    "Command",
    "Installation",
    "find_trainer",
    "launch",
    "logged_curves",
    "merge_base",
    "prove_lora",
    "prove_merge",
    "prove_samples",
    "read_progress",
    "sample_command",
    "stage_images",
    "stage_picks",
    "train_command",
    "try_optimizers",
    "whole_pictures",
]
