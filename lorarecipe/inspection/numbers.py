"""Norms of what a LoRA's modules add to the weights of a model, and numbers that are not finite."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np
import numpy.typing as npt

from lorarecipe.files import read_json
from lorarecipe.imports import number
from lorarecipe.inspection.modules import Module
from lorarecipe.weights import SafetensorsError, Weights

Matrix = npt.NDArray[np.float64]
#: numbers that are read at once
_AT_ONCE = 1 << 24
_ADAPTER_FILE, _ADAPTER_CONFIG = "adapter_model.safetensors", "adapter_config.json"
_READABLE = frozenset({"F64", "F32", "F16", "BF16"})


@dataclass(frozen=True)
class NotFinite:
    """A tensor that holds nan or infinity, and how many of its numbers are such."""

    tensor: str
    count: int


def not_finite_in(weights: Weights) -> tuple[tuple[NotFinite, ...], tuple[str, ...]]:
    """List the tensors that hold nan or infinity, and the data types in the file that cannot be read (``F8_E4M3``)."""
    found = []
    for name in weights.in_order:
        shape = weights.shapes[name]
        if weights.dtype(name) not in _READABLE or not prod(shape):
            continue
        rows = shape[0] if shape else 1
        step = max(1, _AT_ONCE * rows // prod(shape))
        parts = (weights.read(name, slice(row, row + step)) for row in range(0, rows, step))
        if count := sum(int(np.size(part) - np.isfinite(part).sum()) for part in parts):
            found.append(NotFinite(name, count))
    return tuple(found), tuple(sorted(weights.unreadable))


@dataclass(frozen=True)
class Alphas:
    """Where a file says its modules' alphas: in tensors of their own, or as PEFT does in a configuration."""

    weights: Weights

    @cached_property
    def _config(self) -> Mapping[str, object]:
        """PEFT's configuration: in the metadata of diffusers' files, or in a file of its own beside PEFT's."""
        with suppress(ValueError, RecursionError):
            read = json.loads(self.weights.metadata.get("lora_adapter_metadata", "null"))
            if isinstance(read, dict) and read:
                return read
        if self.weights.path.name == _ADAPTER_FILE:
            with suppress(OSError, ValueError):
                read = read_json(self.weights.path.with_name(_ADAPTER_CONFIG))
                if isinstance(read, dict):
                    return read
        return {}

    def of(self, module: Module) -> float | None:
        """Give a module's alpha; None where the file does not say it, or not as one number."""
        if tensor := module.tensors.get("alpha"):
            try:
                return self.weights.number(tensor)
            except SafetensorsError:
                return None
        by_name = self._stated("alpha_pattern", module)
        path = module.name.removeprefix("base_model.model.")
        for pattern, value in by_name.items() if isinstance(by_name, dict) else ():
            # as PEFT matches them: the end of the name
            if path.endswith(f".{pattern}") or path == pattern:
                return number(value)
        return number(self._stated("lora_alpha", module))

    def scale(self, module: Module) -> float:
        """Give what the product of a module's factors is multiplied by: alpha / rank, and 1 without alpha."""
        alpha, rank = self.of(module), module.rank
        if alpha is None or not rank:
            return 1.0
        return alpha / (math.sqrt(rank) if self._stated("use_rslora", module) is True else rank)

    def _stated(self, key: str, module: Module) -> object:
        """Give an entry of the configuration; diffusers has one for each part, and writes the part before the key."""
        return self._config.get(f"{module.name.split('.')[0]}.{key}", self._config.get(key))


def squared_norm(weights: Weights, module: Module, alphas: Alphas) -> float | None:
    """Give the square of the Frobenius norm of what a module adds to its weight, without forming that where it can.

    Returns
    -------
    float or None
        None where it depends on the model's own weight (DoRA, OFT, (IA)^3), the tensors are of another shape than the
        form has, or cannot be read.
    """
    compute = _NORMS.get(str(module.form))
    factors = {role: name for role, name in module.tensors.items() if role != "alpha"}
    if not compute or module.is_decomposed or not {*map(weights.dtype, factors.values())} <= _READABLE:
        return None
    read = {role: weights.read(name).astype(np.float64) for role, name in factors.items()}
    with np.errstate(all="ignore"):
        try:
            square = compute(read)
        except (
            KeyError,
            TypeError,
            ValueError,
            IndexError,
        ):  # of another shape than the form has, or a tensor is missing
            return None
    scale = alphas.scale(module)
    # of an all but empty product, rounding may leave less than nothing
    return square if math.isnan(square) else max(0.0, square) * scale * scale


def _of_lora(at: Mapping[str, Matrix]) -> float:
    """``|up @ down|`` from the two Gram matrices; with a core, summed over its places."""
    down, up = at["lora_down"], at["lora_up"]
    if up.ndim > 2 and prod(up.shape[2:]) > 1:
        raise ValueError("the larger kernel is expected in lora_down")
    rank_in, rank_out = down.reshape(len(down), -1), up.reshape(len(up), -1)
    inner, outer = rank_in @ rank_in.T, rank_out.T @ rank_out
    if "lora_mid" not in at:
        return float(np.sum(inner * outer))
    core = at["lora_mid"].reshape(*at["lora_mid"].shape[:2], -1)
    return float(sum(np.sum((core[..., k].T @ outer @ core[..., k]) * inner) for k in range(core.shape[2])))


def _of_loha(at: Mapping[str, Matrix]) -> float:
    """``|(w1_a @ w1_b) * (w2_a @ w2_b)|``, formed some rows at a time; with cores, each pair of them is a product."""
    first, second = (_hada_factor(at, which) for which in "12")
    total = 0.0
    for row in range(0, len(first[0]), 256):
        one, other = (left[row : row + 256] @ right for left, right in (first, second))
        total += float(np.sum((one * other) ** 2))
    return total


def _hada_factor(at: Mapping[str, Matrix], which: str) -> tuple[Matrix, Matrix]:
    left, right = at[f"hada_w{which}_a"], at[f"hada_w{which}_b"]
    if f"hada_t{which}" not in at:
        return left, right.reshape(len(right), -1)
    # Tucker's: core (i, j, places), w_a (i, out), w_b (j, in)
    core = at[f"hada_t{which}"]
    inner = np.einsum("ijkl,jr->irkl", core, right)
    return left.T, inner.reshape(len(inner), -1)


def _of_lokr(at: Mapping[str, Matrix]) -> float:
    """The norm of a Kronecker product is the product of the norms."""
    return math.prod(_kron_factor(at, which) for which in "12")


def _kron_factor(at: Mapping[str, Matrix], which: str) -> float:
    if (whole := at.get(f"lokr_w{which}")) is not None:
        return float(np.sum(whole**2))
    left, right = at[f"lokr_w{which}_a"], at[f"lokr_w{which}_b"]
    if f"lokr_t{which}" in at:  # Tucker's: w_a is turned round
        return _of_lora({"lora_down": right, "lora_up": left.T, "lora_mid": at[f"lokr_t{which}"]})
    return _of_lora({"lora_down": right, "lora_up": left})


def _of_differences(at: Mapping[str, Matrix]) -> float:
    return float(sum(np.sum(values**2) for values in at.values()))


_NORMS: Mapping[str, Callable[[Mapping[str, Matrix]], float]] = {
    "LoRA": _of_lora,
    "LoCon": _of_lora,
    "LoHa": _of_loha,
    "LoKr": _of_lokr,
    "full": _of_differences,
    "norm": _of_differences,
}
