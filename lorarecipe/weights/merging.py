"""Put a LoRA into a checkpoint: the files are copied, and only the weights that it touches are computed, one a core.

The sums are those of sd-scripts' ``merge_lora.py`` in float32, and each weight keeps its own precision. numpy and
PyTorch may add the terms of a product in another order, as it suits the processor, so a weight may be one step of its
precision away from the script's; tests/test_merging.py compares all of them and bounds how many.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from lorarecipe.errors import TrainingFailed
from lorarecipe.weights.file import Weights
from lorarecipe.weights.folder import Folder

#: numbers that are computed at once: few enough to stay in a core's cache
_BLOCK = 1 << 18
_TENSORS = ("lora_down.weight", "lora_up.weight", "alpha")
#: from here on a number is rounded to infinity
_OVERFLOW = {"F16": 65520.0, "BF16": 3.3961775e38, "F32": np.inf, "F64": np.inf}


#: name of a checkpoint's weight -> the LoRA modules that sit on it, as a family lists them
ModulesOf = Callable[[str], tuple[str, ...]]


def lora_modules(names: Iterable[str]) -> frozenset[str]:
    """List the modules of a LoRA in kohya's format: what stands before ``.lora_down.weight``."""
    return frozenset(name.removesuffix(".lora_down.weight") for name in names if name.endswith(".lora_down.weight"))


def merge(checkpoint: Weights | Folder, lora: Weights, ratio: float, destination: Path, modules_of: ModulesOf) -> None:
    """Write a copy of a checkpoint, a file or a folder as it is one, with a LoRA in it at ``ratio``.

    Parameters
    ----------
    checkpoint
        The checkpoint.
    lora
        The LoRA, in kohya's format.
    ratio
        Weight of the LoRA.
    destination
        Path of the copy, which is not there yet.
    modules_of
        Lists the LoRA modules that sit on a weight of the checkpoint.

    Raises
    ------
    TrainingFailed
        When the LoRA holds anything that has no weight there, naming it; nothing is written. When a weight of either
        is not a finite number, before or after the sum, naming it.
    """
    modules = lora_modules(lora.names)
    parts = (
        {"": checkpoint} if isinstance(checkpoint, Weights) else {f"{at}.": one for at, one in checkpoint.parts.items()}
    )
    homes = {module: name for name in checkpoint.names for module in modules_of(name)}
    fitting = {
        module for module in modules & homes.keys() if _fits(lora, module, checkpoint, homes[module], modules_of)
    }
    known = {f"{module}.{tensor}" for module in fitting for tensor in _TENSORS}
    if unmatched := sorted(lora.names - known):
        more = f" and {len(unmatched) - 3} more" if len(unmatched) > 3 else ""
        raise TrainingFailed(
            f"{lora.path}: found {', '.join(unmatched[:3])}{more}, which match no weight of {checkpoint.path} in its "
            "shape; expected a LoRA in kohya's format for a checkpoint of this family"
        )
    for file in (checkpoint.path,) if isinstance(checkpoint, Weights) else checkpoint.files:
        copy = destination / file.relative_to(checkpoint.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    # most of it is the change of precision, for which numpy takes one core: a weight a core, its product included
    with threadpool_limits(1), ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [
            pool.submit(_rewrite, part, name, lora, shared, ratio, destination / part.path.relative_to(checkpoint.path))
            for prefix, part in parts.items()
            for name in part.names
            if not modules.isdisjoint(shared := modules_of(prefix + name))
        ]
        try:
            for task in tasks:
                task.result()
        except BaseException:  # a signal too: what has not begun need not be computed
            pool.shutdown(cancel_futures=True)
            raise


def _fits(lora: Weights, module: str, checkpoint: Weights | Folder, name: str, modules_of: ModulesOf) -> bool:
    """Whether a module's product has the shape of its weight, or of its part of one."""
    up, down = (lora.shapes.get(f"{module}.lora_{which}.weight", (0,)) for which in ("up", "down"))
    rows, *columns = checkpoint.shapes[name]
    return (up[0] * len(modules_of(name)), prod(up[1:]), prod(down[1:])) == (rows, down[0], prod(columns))


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
            if not _is_finite(weight):
                raise TrainingFailed(
                    f"{part.path}: {name} holds a number that is not finite (nan or infinity): the file is damaged or "
                    "was made by a failed training or merge; get another copy of the checkpoint"
                )
            if factors:
                up, down, scale = factors
                weight += _product(up[row:last], down, ratio, scale).reshape(weight.shape)
                if not _is_finite(weight, _OVERFLOW[part.dtype(name)]):
                    raise TrainingFailed(
                        f"{lora.path}: with it, {name} of {part.path} is no number of its precision any more; "
                        "the base is damaged, or merge.strength is too high"
                    )
            yield weight


def _is_finite(values: npt.NDArray[np.float32], below: float = np.inf) -> bool:
    """Tell whether all numbers are finite, and nearer to 0 than ``below``; nan is neither."""
    return not values.size or bool(values.max() < below and -values.min() < below)


def change(lora: Weights, module: str, ratio: float = 1.0) -> npt.NDArray[np.float32]:
    """Give what a LoRA's module adds to a weight, (rows, columns): ``ratio * up @ down * alpha / rank``."""
    up, down, scale = _factors(lora, module)
    return _product(up, down, ratio, scale)


def _factors(lora: Weights, module: str) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], float]:
    """Give up (rows, rank), down (rank, columns), and alpha / rank."""
    down, up = lora.read(f"{module}.lora_down.weight"), lora.read(f"{module}.lora_up.weight")
    rank = len(down)
    alpha = lora.number(f"{module}.alpha") if f"{module}.alpha" in lora.names else float(rank)
    if not (_is_finite(down) and _is_finite(up) and math.isfinite(alpha)):
        raise TrainingFailed(
            f"{lora.path}: {module} holds a number that is not finite (nan or infinity): the base is damaged, or its "
            "training failed; train it again, or get another copy"
        )
    return up.reshape(len(up), rank), down.reshape(rank, -1), alpha / rank


def _product(
    up: npt.NDArray[np.float32], down: npt.NDArray[np.float32], ratio: float, scale: float
) -> npt.NDArray[np.float32]:
    product: npt.NDArray[np.float32] = up @ down
    # in the script's order: each product rounds
    product *= np.float32(ratio)
    product *= np.float32(scale)
    return product


def lora_faults(lora: Weights) -> list[str]:
    """Read a LoRA whole, and name what a merge could not use; empty when all of it is good.

    alpha may have the shape `()` or `(1,)` and be a whole number, as in files of several trainers.
    """
    faults = []
    for module in sorted(lora_modules(lora.names)):
        down, up = f"{module}.lora_down.weight", f"{module}.lora_up.weight"
        if up not in lora.names:
            faults.append(f"{module} has no lora_up.weight")
            continue
        shapes = [lora.shapes[name] for name in (down, up)]
        if min(map(len, shapes)) < 2 or 0 in (*shapes[0], *shapes[1]) or shapes[0][0] != shapes[1][1]:
            faults.append(
                f"{module} has the shapes {[*shapes[0]]} and {[*shapes[1]]}, expected [rank, in] and [out, rank]"
            )
            continue
        try:
            _factors(lora, module)
        except TrainingFailed as problem:
            faults.append(str(problem).removeprefix(f"{lora.path}: "))
    return faults
