"""Safetensors files: their headers, their numbers, and LoRAs in kohya's format. No model family is known here."""

from lorarecipe.weights.file import SafetensorsError, Weights, header_bytes, rewrite_metadata
from lorarecipe.weights.folder import Folder, checkpoint_files, open_checkpoint
from lorarecipe.weights.hashes import HASHES, rehashed
from lorarecipe.weights.merging import ModulesOf, change, lora_faults, lora_modules, merge
from lorarecipe.weights.scaling import scale_lora

__all__ = [
    "HASHES",
    "Folder",
    "ModulesOf",
    "SafetensorsError",
    "Weights",
    "change",
    "checkpoint_files",
    "header_bytes",
    "lora_faults",
    "lora_modules",
    "merge",
    "open_checkpoint",
    "rehashed",
    "rewrite_metadata",
    "scale_lora",
]
