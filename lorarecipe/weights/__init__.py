"""Safetensors files: their headers, their numbers, and which LoRA module belongs to which weight."""

from lorarecipe.weights.file import SafetensorsError, Weights, rewrite_metadata
from lorarecipe.weights.folder import Folder, open_checkpoint
from lorarecipe.weights.merge import change, lora_faults, merge
from lorarecipe.weights.modules import Family, lora_modules, lora_values, module_of, trained_modules

__all__ = [
    "Family",
    "Folder",
    "SafetensorsError",
    "Weights",
    "change",
    "lora_faults",
    "lora_modules",
    "lora_values",
    "merge",
    "module_of",
    "open_checkpoint",
    "rewrite_metadata",
    "trained_modules",
]
