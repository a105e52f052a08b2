"""Prove a result: exit code 0 says little (sd-scripts ends so on an empty dataset, and merges nothing silently)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from lorarecipe.errors import TrainingFailed
from lorarecipe.families import trained_modules
from lorarecipe.plan import MergeStage, SampleStage, TrainStage
from lorarecipe.records import Proof
from lorarecipe.weights import Folder, ModulesOf, Weights, change, lora_modules, open_checkpoint

#: modules whose weights a merge is recomputed for, spread over all of them
_SAMPLE = 12
#: spacing of numbers at a precision, relative to their size; a merge may be off by two of them
_SPACING = {"F16": 2.0**-10, "BF16": 2.0**-7, "F32": 2.0**-20, "F64": 2.0**-20}


def prove_lora(path: Path, stage: TrainStage) -> Proof:
    """Open a trained LoRA and look at every number.

    Returns
    -------
    dict
        ``modules`` counted, and the ``rank`` found.

    Raises
    ------
    TrainingFailed
        When it is missing or torn, lacks a module that had to be trained, has another rank, or holds a number
        that is not finite.
    """
    lora = opened_lora(path)
    modules = lora_modules(lora.names)
    checkpoint = opened(stage.model.main.path)
    text_encoder = stage.training.text_encoder_lr is not None
    missing = trained_modules(checkpoint.shapes, stage.model.traits, text_encoder=text_encoder) - modules
    if missing or not modules:
        example = f" ({min(missing)})" if missing else ""
        raise TrainingFailed(f"{path}: {len(missing)} trained modules are missing{example}, found {len(modules)}")
    ranks = {lora.shapes[f"{module}.lora_down.weight"][0] for module in modules}
    if stage.training.rank not in ranks:
        raise TrainingFailed(f"{path}: found ranks {sorted(ranks)}, expected {stage.training.rank}")
    for name in sorted(lora.names):
        values = np.array(lora.number(name)) if name.endswith(".alpha") else lora.read(name)
        if not np.isfinite(values).all():
            raise TrainingFailed(f"{path}: {name} holds a number that is not finite; try a smaller learning rate")
    return {"modules": len(modules), "rank": stage.training.rank}


def prove_merge(path: Path, base_path: Path, stage: MergeStage) -> Proof:
    """Compare a merged checkpoint with the one before, and with what the base should have added.

    Returns
    -------
    dict
        ``matched`` modules, ``compared`` tensors, and the largest share of a weight that ``changed``.

    Raises
    ------
    TrainingFailed
        When a module of the base has no weight, or a sampled weight is not the old one plus
        ``strength * alpha / rank * up @ down``.
    """
    merged, before, base = opened(path), opened(stage.model.main.path), opened_lora(base_path)
    modules = lora_modules(base.names)
    modules_of = stage.model.traits.modules_of
    homes, after = (
        {module: name for name in weights.names for module in modules_of(name)} for weights in (before, merged)
    )
    if unmatched := modules - (homes.keys() & after.keys()):
        raise TrainingFailed(
            f"{base_path}: {len(unmatched)} modules match no weight of {before.path} ({min(unmatched)})"
        )
    sample = sorted(modules)[:: max(1, len(modules) // _SAMPLE)]
    moved = 0.0
    for module in sample:
        old = _rows(before, homes[module], module, modules_of)
        new = _rows(merged, after[module], module, modules_of)
        wanted = old + change(base, module, stage.strength).reshape(old.shape)
        allowed = 2 * _SPACING[merged.dtype(after[module])] * np.maximum(np.abs(wanted), 2.0**-14)
        if not (np.abs(new - wanted) <= allowed).all():  # nan is no number that could be compared
            raise TrainingFailed(f"{path}: {after[module]} is not the checkpoint's weight plus the base's")
        moved = max(moved, float((new != old).mean()))
    if not moved:
        raise TrainingFailed(f"{path}: the merge changed nothing; is the base trained?")
    return {"matched": len(modules), "compared": len(sample), "changed": round(moved, 4)}


_PNG_END = b"IEND\xaeB`\x82"


def prove_samples(folder: Path, stage: SampleStage) -> Proof:
    """Look whether all pictures are there.

    Raises
    ------
    TrainingFailed
        When one is missing, or cannot be decoded to its end.
    """
    if missing := sorted(stage.names.keys() - whole_pictures(folder, stage)):
        raise TrainingFailed(
            f"{folder}: {len(missing)} of {len(stage.names)} pictures missing or torn, as {missing[0]}"
        )
    return {"pictures": len(stage.names)}


def whole_pictures(folder: Path, stage: SampleStage) -> frozenset[str]:
    """Names of a stage's pictures that are there and can be decoded to their end."""
    whole = set()
    for name in stage.names:
        try:
            with Image.open(folder / name) as picture:
                picture.load()
            # all pixels may be there and the end not, which the next reader may mind
            if (folder / name).read_bytes().endswith(_PNG_END):
                whole.add(name)
        except (OSError, SyntaxError, ValueError):
            continue
    return frozenset(whole)


def _rows(weights: Weights | Folder, name: str, module: str, modules_of: ModulesOf) -> npt.NDArray[np.float32]:
    """Read a module's own rows: OpenCLIP's query, key and value share one weight."""
    shared = modules_of(name)
    return np.split(weights.read(name), len(shared))[shared.index(module)]


def opened_lora(path: Path) -> Weights:
    """Open a LoRA, as ``opened`` does."""
    lora = opened(path)
    assert isinstance(lora, Weights)  # a LoRA is one file
    return lora


def opened(path: Path) -> Weights | Folder:
    """Open a checkpoint.

    Raises
    ------
    TrainingFailed
        When it is torn, or something else altogether.
    """
    return open_checkpoint(path)
