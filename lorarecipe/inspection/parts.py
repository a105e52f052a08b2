"""The parts of a model that a file has tensors for, and how much a LoRA changes each of their blocks."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lorarecipe.inspection.modules import Module
from lorarecipe.inspection.numbers import Alphas, squared_norm
from lorarecipe.weights import Weights

_U_NET = "U-Net"
#: prefixes of a checkpoint's tensors -> the part
_CHECKPOINT_PARTS = {
    "model.diffusion_model.": _U_NET,
    "cond_stage_model.": "text encoder",
    "conditioner.embedders.0.": "text encoder 1",
    "conditioner.embedders.1.": "text encoder 2",
    "first_stage_model.": "VAE",
}
_ORDER = (_U_NET, "transformer", "text encoder", "text encoder 1", "text encoder 2", "text encoder 3", "VAE", "others")
_BLOCK = re.compile(r"lora_unet_(?:(down|up)_blocks_(\d+)|(input|output)_blocks_(\d+)|(mid)_block|(mid)dle_block)_")
#: an alpha that the file does not state
_NONE = "none"


@dataclass(frozen=True)
class Part:
    """One part of a model, as a file has it."""

    name: str
    modules: int
    """Modules of a LoRA; 0 in other files."""
    tensors: int
    ranks: Mapping[str, int]
    """Modules of each rank."""
    alphas: Mapping[str, int]
    """Modules of each alpha; ``none`` where the file states none, which counts as an alpha that equals the rank."""
    dtypes: Mapping[str, int]
    """Tensors of each data type."""


@dataclass(frozen=True)
class Block:
    """One block of the U-Net, or a text encoder, and how much the LoRA changes its weights at weight 1."""

    name: str
    modules: int
    norm: float | None
    """Frobenius norm of all changes together; None where one is not finite, or none could be computed."""
    not_computed: int
    """Modules whose norm depends on the model's own weights (DoRA, OFT, (IA)^3), or that cannot be read."""
    is_finite: bool


def parts_of(weights: Weights, modules: Sequence[Module], others: Iterable[str]) -> tuple[Part, ...]:
    """Count what the file has of each part of a model."""
    alphas = Alphas(weights)
    tensors: dict[str, list[str]] = {}
    by_part: dict[str, list[Module]] = {}
    for module in modules:
        by_part.setdefault(module.part, []).append(module)
        tensors.setdefault(module.part, []).extend(module.tensors.values())
    for name in others:
        part = next((part for prefix, part in _CHECKPOINT_PARTS.items() if name.startswith(prefix)), "others")
        tensors.setdefault(part, []).append(name)
    return tuple(
        Part(
            name=part,
            modules=len(inside := by_part.get(part, [])),
            tensors=len(names),
            ranks=_counted(module.rank for module in inside if module.rank is not None),
            alphas=_counted(alphas.of(module) for module in inside if module.rank is not None),
            dtypes=dict(sorted(Counter(map(weights.dtype, names)).items())),
        )
        for part, names in sorted(tensors.items(), key=lambda item: _ORDER.index(item[0]))
    )


def _counted(values: Iterable[float | None]) -> dict[str, int]:
    counts = Counter(_NONE if value is None else f"{value:g}" for value in values)
    return {
        text: counts[text] for text in sorted(counts, key=lambda text: (text == _NONE, text != _NONE and float(text)))
    }


def blocks_of(weights: Weights, modules: Sequence[Module]) -> tuple[Block, ...]:
    """Give the norm of what a LoRA changes in each block, in the order in which a picture goes through them."""
    alphas = Alphas(weights)
    found: dict[tuple[int, int, str], list[float | None]] = {}
    for module in modules:
        found.setdefault(_place(module), []).append(squared_norm(weights, module, alphas))
    return tuple(_block(name, squares) for (_, _, name), squares in sorted(found.items()))


def _block(name: str, squares: Sequence[float | None]) -> Block:
    computed = [square for square in squares if square is not None]
    total = sum(computed)
    return Block(
        name=name,
        modules=len(squares),
        norm=math.sqrt(total) if computed and math.isfinite(total) else None,
        not_computed=len(squares) - len(computed),
        is_finite=math.isfinite(total),
    )


def _place(module: Module) -> tuple[int, int, str]:
    """Give a block's place among the others, and its name: SDXL's numbered blocks are three to a level."""
    if module.part != _U_NET:
        return 5 + _ORDER.index(module.part), 0, module.part
    match = _BLOCK.match(module.kohya_name)
    if not match:
        return 4, 0, f"{_U_NET}, others"
    if match[5] or match[6]:
        return 2, 0, "mid"
    if match[1]:
        level, is_down = int(match[2]), match[1] == "down"
    else:
        is_down = match[3] == "input"
        level = (int(match[4]) - is_down) // 3
    return (1 if is_down else 3), level, f"{'down' if is_down else 'up'} {level}"
