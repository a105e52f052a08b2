"""Stable Diffusion XL, and what was trained from it: Pony, Illustrious, NoobAI."""

from __future__ import annotations

from collections.abc import Mapping

from lorarecipe.families import names
from lorarecipe.families.checkpoint import CHECKPOINT_AND_VAE, has_tensors, lora_text_width, text_width
from lorarecipe.weights import Folder, Weights

NAME = "sdxl"
COMPONENTS = CHECKPOINT_AND_VAE
TOKENIZERS: tuple[str, ...] = ("openai_clip-vit-large-patch14", "laion_CLIP-ViT-bigG-14-laion2B-39B-b160k")
NETWORK_MODULE = "networks.lora"
TRAIN_SCRIPT = "sdxl_train_network.py"
TRAIN_ARGUMENTS: Mapping[str, object] = {}
SAMPLE_ARGUMENTS: Mapping[str, object] = {"sdxl": True}
READS_CLIP_SKIP = False
VAE_OVERFLOWS = True
HUB_TAG = "stable-diffusion-xl"
PIPELINE = "StableDiffusionXLPipeline"
CIVITAI = "SDXL 1.0"
#: as sd-scripts' ``sai_model_spec.py`` has them
ARCHITECTURES = ("stable-diffusion-xl-v1-base", "stable-diffusion-xl-v1-base")
IMPLEMENTATION = "https://github.com/Stability-AI/generative-models"
WEB_UI_VERSION = "SDXL"

_TEXT_WIDTH = 2048
_ENCODERS = "conditioner.embedders."
_CLIP, _OPENCLIP = f"{_ENCODERS}0.transformer.", f"{_ENCODERS}1.model."


def recognises(checkpoint: Weights | Folder) -> bool:
    """Look for the tensors of two text encoders, or for their text width."""
    return has_tensors(checkpoint, _ENCODERS) or text_width(checkpoint) == _TEXT_WIDTH


def recognises_lora(inputs: Mapping[str, int]) -> bool:
    """Look for the U-Net's modules as only SDXL's are named, or for two text encoders alone, or their text width."""
    blocks = ("input_blocks", "middle_block", "output_blocks")
    of_unet = [name.removeprefix(names.UNET_MODULE) for name in inputs if name.startswith(names.UNET_MODULE)]
    if not of_unet:
        return any(name.startswith("lora_te2_") for name in inputs)
    return any(name.startswith(blocks) for name in of_unet) or lora_text_width(inputs) == _TEXT_WIDTH


def modules_of(weight: str) -> tuple[str, ...]:
    """List the modules of a weight: 722 in the U-Net, 72 and 192 in the text encoders are trained."""
    path = weight.removesuffix(".weight")
    if weight.startswith(names.UNET):
        return (names.joined(names.UNET_MODULE, path.removeprefix(names.UNET)),)
    if weight.startswith(_CLIP):
        return (names.joined("lora_te1_", path.removeprefix(_CLIP)),)
    return names.openclip_modules(weight, _OPENCLIP, "lora_te2_")


is_trained = names.is_linear_of_transformers
