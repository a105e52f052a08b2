"""Merge a LoRA into an SD1 checkpoint in Diffusers' format: float32 maths, the checkpoint's own precision saved."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from lorarecipe.trainer.proof import delta
from lorarecipe.weights import Folder, Weights, lora_modules, module_of

_TYPES = {"float": np.float32, "fp16": np.float16}


def merge(checkpoint: Path, lora: Path, ratio: float, save_to: Path, precision: str) -> None:
    """Write a copy of a checkpoint with a LoRA in it.

    Raises
    ------
    SystemExit
        When a module of the LoRA is not in the checkpoint; nothing is written.
    """
    before, base = Folder(checkpoint), Weights(lora)
    modules = {module: name for name in before.names for module in module_of(name, "sd15")}
    if lost := lora_modules(base.names) - modules.keys():
        raise SystemExit(f"{lora}: {len(lost)} modules match no weight of {checkpoint} ({min(lost)})")
    rewritten = {part.path for part in before.parts.values()}
    shutil.copytree(
        checkpoint, save_to, ignore=lambda folder, names: {n for n in names if Path(folder, n) in rewritten}
    )
    changed = {modules[module]: module for module in lora_modules(base.names)}
    for prefix, part in before.parts.items():
        tensors = {}
        for name in sorted(part.names):
            values = part.read(name)
            if module := changed.get(f"{prefix}.{name}"):
                values = values + np.float32(ratio) * delta(base, module).reshape(values.shape)
            tensors[name] = values.astype(_TYPES[precision])
        save_file(tensors, save_to / part.path.relative_to(checkpoint), metadata={"format": "pt"})


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
