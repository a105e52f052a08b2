"""Model families: one file for each, and one table. A new family is a file of the same form and a line in the table."""

from collections.abc import Mapping

from lorarecipe.families import sd2, sd15, sdxl
from lorarecipe.families.family import Family
from lorarecipe.families.modules import lora_values, trained_modules
from lorarecipe.weights import Folder, Weights

FAMILIES: dict[str, Family] = {family.NAME: family for family in (sd15, sd2, sdxl)}

__all__ = ["FAMILIES", "Family", "lora_values", "recognised", "recognised_lora", "trained_modules"]


def recognised(checkpoint: Weights | Folder) -> list[str]:
    """Name the families that a checkpoint is of, by the names of its tensors or by its configuration."""
    return [name for name, family in FAMILIES.items() if family.recognises(checkpoint)]


def recognised_lora(inputs: Mapping[str, int]) -> list[str]:
    """Name the families that a LoRA is of, by its modules' names, as kohya writes them, and inputs."""
    return [name for name, family in FAMILIES.items() if family.recognises_lora(inputs)]
