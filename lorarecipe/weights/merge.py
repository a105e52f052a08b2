"""Put a LoRA into a checkpoint: the files are copied, and only the weights that it touches are computed, one a core.

The sums are those of sd-scripts' ``merge_lora.py`` in float32, term by term, and each weight keeps its own precision:
the values are the same to the last bit (tests/test_merge.py compares them with the script's).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lorarecipe.errors import TrainingFailed
from lorarecipe.weights.file import Weights
from lorarecipe.weights.folder import Folder
from lorarecipe.weights.modules import Family, lora_modules, module_of

#: numbers that are computed at once: few enough to stay in a core's cache
_BLOCK = 1 << 18
_TENSORS = ("lora_down.weight", "lora_up.weight", "alpha")


def merge(checkpoint: Weights | Folder, lora: Weights, ratio: float, place: Path, family: Family) -> None:
    """Write a copy of a checkpoint, a file or a folder as it is one, with a LoRA in it at ``ratio``.

    Raises
    ------
    TrainingFailed
        When the LoRA holds anything that has no weight there, naming it; nothing is written.
    """
    modules = lora_modules(lora.names)
    parts = (
        {"": checkpoint} if isinstance(checkpoint, Weights) else {f"{at}.": one for at, one in checkpoint.parts.items()}
    )
    homes = {module: name for name in checkpoint.names for module in module_of(name, family)}
    fitting = {module for module in modules & homes.keys() if _fits(lora, module, checkpoint, homes[module], family)}
    known = {f"{module}.{tensor}" for module in fitting for tensor in _TENSORS}
    if lost := sorted(lora.names - known):
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise TrainingFailed(
            f"{lora.path}: found {', '.join(lost[:3])}{more}, which match no weight of {checkpoint.path} in its shape; "
            f"expected a LoRA in kohya's format for a checkpoint of this family ({family})"
        )
    for file in (checkpoint.path,) if isinstance(checkpoint, Weights) else checkpoint.files:
        copy = place / file.relative_to(checkpoint.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    # most of it is the change of precision, for which numpy takes one core: a weight a core, its product included
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [
            pool.submit(_rewrite, part, name, lora, shared, ratio, place / part.path.relative_to(checkpoint.path))
            for prefix, part in parts.items()
            for name in part.names
            if not modules.isdisjoint(shared := module_of(prefix + name, family))
        ]
        for task in tasks:
            task.result()


def _fits(lora: Weights, module: str, checkpoint: Weights | Folder, name: str, family: Family) -> bool:
    """Whether a module's product has the shape of its weight, or of its part of one."""
    up, down = (lora.shapes.get(f"{module}.lora_{which}.weight", (0,)) for which in ("up", "down"))
    rows, *columns = checkpoint.shapes[name]
    return (up[0] * len(module_of(name, family)), prod(up[1:]), prod(down[1:])) == (rows, down[0], prod(columns))


def _rewrite(part: Weights, name: str, lora: Weights, shared: Sequence[str], ratio: float, copy: Path) -> None:
    part.overwrite(copy, name, _changed(part, name, lora, shared, ratio))


def _changed(
    part: Weights, name: str, lora: Weights, shared: Sequence[str], ratio: float
) -> Iterator[npt.NDArray[np.float32]]:
    rows, *columns = part.shapes[name]
    height, step = rows // len(shared), max(1, _BLOCK // prod(columns))
    # OpenCLIP's query, key and value share one weight
    for top, module in zip(range(0, rows, height), shared, strict=True):
        factors = _factors(lora, module) if f"{module}.lora_up.weight" in lora.names else None
        for row in range(0, height, step):
            last = min(row + step, height)
            weight = part.read(name, slice(top + row, top + last))
            if factors:
                up, down, scale = factors
                weight += _product(up[row:last], down, ratio, scale).reshape(weight.shape)
            yield weight


def change(lora: Weights, module: str, ratio: float = 1.0) -> npt.NDArray[np.float32]:
    """Give what a LoRA's module adds to a weight, (rows, columns): ``ratio * up @ down * alpha / rank``."""
    up, down, scale = _factors(lora, module)
    return _product(up, down, ratio, scale)


def _factors(lora: Weights, module: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], float]:
    """Give up (rows, rank), down (rank, columns), and alpha / rank."""
    down, up = lora.read(f"{module}.lora_down.weight"), lora.read(f"{module}.lora_up.weight")
    rank = len(down)
    alpha = float(lora.read(f"{module}.alpha")) if f"{module}.alpha" in lora.names else float(rank)
    return up.reshape(len(up), rank), down.reshape(rank, -1), alpha / rank


def _product(
    up: npt.NDArray[np.float32], down: npt.NDArray[np.float32], ratio: float, scale: float
) -> npt.NDArray[np.float32]:
    product: npt.NDArray[np.float32] = up @ down
    # in the script's order: each product rounds
    product *= np.float32(ratio)
    product *= np.float32(scale)
    return product
