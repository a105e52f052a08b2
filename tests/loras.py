"""LoRAs in each of the forms in which people have them, small, of random numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from lorarecipe.weights import rewrite_metadata

Tensors = dict[str, npt.NDArray[np.generic]]
Shapes = Mapping[str, tuple[int, ...]]


def numbers(shapes: Shapes, dtype: str = "float32", seed: int = 0) -> Tensors:
    """Give tensors of random numbers."""
    random = np.random.default_rng(seed)
    return {name: random.normal(size=shape).astype(dtype) for name, shape in shapes.items()}


def write(path: Path, tensors: Tensors, metadata: Mapping[str, str] = {}) -> Path:
    """Write a file whose bytes are always the same: the library orders metadata anew each time."""
    bare = path.with_name(f".{path.name}")
    save_file(tensors, bare)
    rewrite_metadata(bare, path, dict(metadata))
    bare.unlink()
    return path


def kohya(module: str, rank: int = 4, rows: int = 8, columns: int = 768, kernel: int = 0) -> dict[str, tuple[int, ...]]:
    """Give the shapes of a module in kohya's format: of a linear layer, or of a convolution."""
    ends = (kernel, kernel) if kernel else ()
    return {
        f"{module}.lora_down.weight": (rank, columns, *ends),
        f"{module}.lora_up.weight": (rows, rank, *(1 for _ in ends)),
    }
