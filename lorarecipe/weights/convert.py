"""Pickled weights into safetensors, without running what a pickle may hold."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorarecipe.errors import CheckFailed, MachineNotReady
from lorarecipe.files import draft_of, open_regular

if TYPE_CHECKING:
    import torch


def convert(source: Path, target: Path) -> tuple[int, list[str]]:
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
        Without PyTorch, or when the disk does not take the file.
    CheckFailed
        When the file is no pickle of tensors, holds code, or holds tensors that safetensors cannot.
    OSError
        When the file cannot be read, or is a pipe or a device.
    """
    try:
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import save_file
    except ImportError as problem:
        raise MachineNotReady("PyTorch is missing; run: pip install 'lorarecipe[embedded]'") from problem
    read = _read(source)
    inner = read.get("state_dict", read) if isinstance(read, dict) else None
    if not isinstance(inner, dict):
        inner = {}
    tensors = {str(name): value for name, value in inner.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        raise CheckFailed(f"{source}: found no tensors by name, expected a checkpoint or a LoRA; nothing was written")
    if len(tensors) < sum(isinstance(value, torch.Tensor) for value in inner.values()):
        raise CheckFailed(f"{source}: found two tensors of one name, expected each once; nothing was written")
    for name, value in tensors.items():
        if unfit := _unfit(value):
            raise CheckFailed(
                f"{source}: {name}: found {unfit}, expected plain numbers in memory (float16, float32, ...), "
                "which is all that safetensors holds; nothing was written"
            )
    left = sorted({*map(str, read), *map(str, inner)} - tensors.keys() - {"state_dict"})
    with draft_of(target) as draft:
        try:
            save_file({name: value.detach().clone().contiguous() for name, value in tensors.items()}, draft)
        except SafetensorError as problem:
            raise MachineNotReady(f"{target}: cannot be written ({problem}); name another file") from None
    return len(tensors), left


def _read(source: Path) -> Any:  # noqa: ANN401 - a pickle holds anything
    """Load a pickle without any code of it."""
    import torch

    with open_regular(source) as stream:
        try:
            with warnings.catch_warnings(action="ignore"):  # of a protocol that it then refuses or reads
                return torch.load(stream, map_location="cpu", weights_only=True)
        except OSError:
            raise
        except Exception as problem:  # a torn or hostile file makes the reader fail in any way
            # PyTorch's own words advise to run the code
            needed = re.search(r"GLOBAL (\S+)", str(problem))
            reason = f"it needs {needed[1]} to be run" if needed else "it is torn, or something else"
            found = f"found no pickle of tensors alone ({reason})"
            raise CheckFailed(f"{source}: {found}; nothing was run or written") from problem


def _unfit(tensor: torch.Tensor) -> str:
    """Say why safetensors cannot hold a tensor; nothing where it can."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_nested:
        return f"a tensor of layout {tensor.layout}"
    if tensor.device.type != "cpu":
        return f"a tensor without numbers (device {tensor.device})"
    if tensor.is_quantized or tensor.dtype in {torch.complex32, torch.complex128}:
        return f"a tensor of {tensor.dtype}"
    return ""
