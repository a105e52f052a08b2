"""Merge a LoRA into an SD1 checkpoint in Diffusers' format: float32 maths, the checkpoint's own precision saved."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from lorarecipe.trainer.proof import delta
from lorarecipe.weights import Folder, Weights, lora_modules, module_of

_TYPES = {"float": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def merge(checkpoint: Path, lora: Path, ratio: float, save_to: Path, precision: str) -> None:
    """Write a copy of a checkpoint with a LoRA in it.

    Raises
    ------
    ValueError
        When a module of the LoRA is not in the checkpoint; nothing is written.
    """
    before, base = Folder(checkpoint), Weights(lora)
    modules = {module: name for name in before.names for module in module_of(name, "sd15")}
    if lost := lora_modules(base.names) - modules.keys():
        raise ValueError(f"{lora}: {len(lost)} modules match no weight of {checkpoint} ({min(lost)})")
    changed = {modules[module]: module for module in lora_modules(base.names)}
    rewritten = {part.path: prefix for prefix, part in before.parts.items()}
    for file in before.files:
        copy = save_to / file.relative_to(checkpoint)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file not in rewritten:
            shutil.copyfile(file, copy)
            continue
        tensors = load_file(file)
        for name, weight in tensors.items():
            if module := changed.get(f"{rewritten[file]}.{name}"):
                weight = weight.float() + ratio * torch.from_numpy(delta(base, module)).reshape(weight.shape)
            # a text encoder may hold the numbers of its positions too
            tensors[name] = weight.to(_TYPES[precision]) if weight.is_floating_point() else weight
        save_file(tensors, copy, metadata={"format": "pt"})


def main() -> None:
    """Read the command line, which is that of sd-scripts' script of this name."""
    parser = argparse.ArgumentParser(prog="merge_lora.py", allow_abbrev=False)
    parser.add_argument("--sd_model", type=Path, required=True)
    parser.add_argument("--save_to", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--ratios", type=float, required=True)
    parser.add_argument("--precision", choices=["float"], required=True)
    parser.add_argument("--save_precision", choices=[*_TYPES], required=True)
    given = parser.parse_args()
    merge(given.sd_model, given.models, given.ratios, given.save_to, given.save_precision)


if __name__ == "__main__":
    main()
