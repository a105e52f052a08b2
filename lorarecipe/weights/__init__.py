"""Safetensors files: their headers, their numbers, and which LoRA module belongs to which weight."""

from lorarecipe.weights.file import SafetensorsError, Weights, rewrite_metadata
from lorarecipe.weights.modules import Family, lora_modules, module_of, trained_modules

__all__ = ["Family", "SafetensorsError", "Weights", "lora_modules", "module_of", "rewrite_metadata", "trained_modules"]
