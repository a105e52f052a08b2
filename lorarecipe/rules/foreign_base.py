"""The finished base (``base.weights``) does not fit the checkpoint.

Why is this bad?
----------------
sd-scripts merges what matches and drops the rest without a word: a base of another family, or in another format,
merges nothing, and the target is then trained as if there were no base.

Example
-------
``base.safetensors``: ``made for sdxl``

``recipe.toml``: ``base.weights = "base.safetensors"``

Use instead
-----------
``base.safetensors``: ``made for sd15``

``recipe.toml``: ``base.weights = "base.safetensors"``
"""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.dataset import Dataset
from lorarecipe.families import FAMILIES
from lorarecipe.rules.finding import Finding, Severity
from lorarecipe.weights import Folder, Weights, lora_faults, lora_modules

SEVERITY: Severity = "error"


def check(dataset: Dataset) -> Iterator[Finding]:
    """Look for a weight of the checkpoint under every key of the base."""
    base, checkpoint = dataset.base_weights, dataset.checkpoint_weights
    if base is None:
        return
    modules = lora_modules(base.names)
    parts = {f"{module}{end}" for module in modules for end in (".lora_down.weight", ".lora_up.weight", ".alpha")}
    if strangers := sorted(base.names - parts):
        some = ", ".join(strangers[:3])
        yield Finding(base.path, 1, 1, f"found {len(strangers)} keys that are no kohya LoRA's ({some}), expected none")
    if faults := lora_faults(base):
        more = f"; and {len(faults) - 1} more such modules" if len(faults) > 1 else ""
        yield Finding(base.path, 1, 1, f"found a base that cannot be merged: {faults[0]}{more}")
    if not modules:
        yield Finding(base.path, 1, 1, "found no LoRA module, expected keys lora_unet_*.lora_down.weight")
    if checkpoint is None:
        return
    family = FAMILIES[dataset.recipe.checkpoint.family]
    homes = {module: name for name in checkpoint.names for module in family.modules_of(name)}
    if strange := sorted(module for module in modules if not _fits(module, homes.get(module), base, checkpoint)):
        found = f"found {len(strange)} of {len(modules)} modules"
        message = f"{found} that {checkpoint.path} has no weight for ({strange[0]})"
        yield Finding(base.path, 1, 1, f"{message}, expected a base of the same family")


def _fits(module: str, home: str | None, base: Weights, checkpoint: Weights | Folder) -> bool:
    """Whether the checkpoint has the module's weight, with as many columns as the module reads."""
    down = base.shapes[f"{module}.lora_down.weight"]
    return home is not None and checkpoint.shapes[home][1:2] == down[1:2]
