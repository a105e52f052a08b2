"""Make what ``recipes/rehearsal`` needs: small renders, and an SD1.5 checkpoint of random weights.

Usage: python -m tests.rehearsal, after ``lorarecipe setup``
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from lorarecipe.families import FAMILIES, trained_modules
from lorarecipe.trainer import find_trainer
from lorarecipe.weights import open_checkpoint
from tests.renders import character

FOLDER = Path(__file__).parent.parent / "recipes" / "rehearsal"


def renders(folder: Path) -> None:
    """Draw the base's characters and the targets."""
    character(folder / "red", "red hair", "short hair", ("red hair", "short hair"))
    character(folder / "blue", "blue hair", "twintails", ("blue hair", "twintails"))
    character(folder / "akane", "blonde", "long hair", None)
    character(folder / "midori", "green hair", "ponytail", None)


def checkpoint(path: Path) -> None:
    """Make the checkpoint (2.1 GB) unless it is there."""
    if path.exists():
        return
    trainer = find_trainer()
    script = Path(__file__).parent / "inside" / "random_checkpoint.py"
    part = path.with_name("part.safetensors")
    subprocess.run([str(trainer.python), str(script), str(trainer.checkout), "sd15", str(part)], check=True)
    part.rename(path)


def lora(path: Path, checkpoint: Path, family: str, rank: int) -> None:
    """Make a LoRA of random weights on every module that a training of all of ``checkpoint`` touches."""
    weights, dice = open_checkpoint(checkpoint), torch.Generator().manual_seed(rank)
    trained, tensors = trained_modules(weights.shapes, FAMILIES[family], text_encoder=True), {}
    for name, (rows, *columns) in sorted((name, shape) for name, shape in weights.shapes.items() if shape):
        shared = FAMILIES[family].modules_of(name)
        for module in trained.intersection(shared):
            ends = [1] * (len(columns) - 1)
            tensors[f"{module}.lora_down.weight"] = torch.randn(rank, columns[0], *ends, generator=dice) / rank
            tensors[f"{module}.lora_up.weight"] = torch.randn(rows // len(shared), rank, *ends, generator=dice) / 10
            tensors[f"{module}.alpha"] = torch.tensor(rank * 0.75)
    save_file(tensors, path)


if __name__ == "__main__":
    sys.stderr.write("drawing renders, making a checkpoint of random weights (2.1 GB)\n")
    renders(FOLDER / "renders")
    checkpoint(FOLDER / "checkpoint.safetensors")
