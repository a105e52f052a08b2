"""Stable Diffusion 2.x: one checkpoint file with an OpenCLIP text encoder."""

from __future__ import annotations

from collections.abc import Mapping

from lorarecipe.families import names
from lorarecipe.families.checkpoint import CHECKPOINT_AND_VAE, has_tensors, lora_text_width, text_width
from lorarecipe.weights import Folder, Weights

NAME = "sd2"
COMPONENTS = CHECKPOINT_AND_VAE
TOKENIZERS: tuple[str, ...] = ("stabilityai_stable-diffusion-2",)
NETWORK_MODULE = "networks.lora"
TRAIN_SCRIPT = "train_network.py"
TRAIN_ARGUMENTS: Mapping[str, object] = {"v2": True}
SAMPLE_ARGUMENTS: Mapping[str, object] = {"v2": True}
READS_CLIP_SKIP = True
VAE_OVERFLOWS = False
HUB_TAG = "stable-diffusion"
PIPELINE = "StableDiffusionPipeline"
CIVITAI = "SD 2.1"
#: as sd-scripts' ``sai_model_spec.py`` has them
ARCHITECTURES = ("stable-diffusion-v2-512", "stable-diffusion-v2-768-v")
IMPLEMENTATION = "diffusers"
WEB_UI_VERSION = "SD2"

_TEXT_WIDTH = 1024
_ENCODER = "cond_stage_model.model."
#: the last layer of the text encoder is never used, so the trainer does not load it
_UNUSED = "_layers_23_"


def recognises(checkpoint: Weights | Folder) -> bool:
    """Look for the tensors of OpenCLIP, or for its text width."""
    return has_tensors(checkpoint, _ENCODER) or text_width(checkpoint) == _TEXT_WIDTH


def recognises_lora(inputs: Mapping[str, int]) -> bool:
    """Look for OpenCLIP's text width."""
    return lora_text_width(inputs) == _TEXT_WIDTH


def modules_of(weight: str) -> tuple[str, ...]:
    """List the modules of a weight: 192 in the U-Net and 138 in the text encoder are trained."""
    if weight.startswith(names.UNET):
        return names.unet_modules(weight)
    return names.openclip_modules(weight, _ENCODER, "lora_te_")


def is_trained(module: str) -> bool:
    """Leave out the last layer of the text encoder."""
    return names.is_linear_of_transformers(module) and _UNUSED not in module
