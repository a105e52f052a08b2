"""Pickled weights into safetensors, without running what a pickle may hold."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

from lorarecipe.errors import CheckFailed, MachineNotReady


def convert(source: Path, place: Path) -> tuple[int, list[str]]:
    """Write the tensors of a pickled checkpoint or LoRA as safetensors.

    PyTorch's ``weights_only`` loading knows tensors, plain containers and numbers, and calls nothing else. Tensors that
    share memory are written each for itself.

    Returns
    -------
    tuple of int and list of str
        How many tensors were written, and the names of what was left out.

    Raises
    ------
    MachineNotReady
        Without PyTorch.
    CheckFailed
        When the file is no pickle of tensors, or holds code.
    """
    try:
        import torch
        from safetensors.torch import save_file
    except ImportError as problem:
        raise MachineNotReady("PyTorch is missing; run: pip install 'lorarecipe[embedded]'") from problem
    try:
        with warnings.catch_warnings(action="ignore"):  # of a protocol that it then refuses or reads
            told: Any = torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError) as problem:
        reason = str(problem).partition("\n")[0]
        found = f"found no pickle of tensors alone ({reason})"
        raise CheckFailed(f"{source}: {found}; nothing was run or written") from problem
    inner = told.get("state_dict", told) if isinstance(told, dict) else {}
    tensors = {str(name): value for name, value in inner.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise CheckFailed(f"{source}: found no tensors, expected a checkpoint or a LoRA")
    left = sorted({*map(str, told), *map(str, inner)} - tensors.keys() - {"state_dict"})
    draft = place.with_name(f".{place.name}.part")
    try:
        save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()}, draft)
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)
    return len(tensors), left
