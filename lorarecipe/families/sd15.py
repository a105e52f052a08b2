"""Stable Diffusion 1.x: one checkpoint file, or a Diffusers folder for the embedded trainer."""

from __future__ import annotations

from collections.abc import Mapping

from lorarecipe.families import names
from lorarecipe.families.checkpoint import CHECKPOINT_AND_VAE, has_tensors, lora_text_width, text_width
from lorarecipe.weights import Folder, Weights

NAME = "sd15"
COMPONENTS = CHECKPOINT_AND_VAE
TOKENIZERS: tuple[str, ...] = ("openai_clip-vit-large-patch14",)
NETWORK_MODULE = "networks.lora"
TRAIN_SCRIPT = "train_network.py"
TRAIN_ARGUMENTS: Mapping[str, object] = {}
SAMPLE_ARGUMENTS: Mapping[str, object] = {"v1": True}
READS_CLIP_SKIP = True
VAE_OVERFLOWS = False
HUB_TAG = "stable-diffusion"
PIPELINE = "StableDiffusionPipeline"
CIVITAI = "SD 1.5"
#: as sd-scripts' ``sai_model_spec.py`` has them
ARCHITECTURES = ("stable-diffusion-v1", "stable-diffusion-v1")
IMPLEMENTATION = "diffusers"
WEB_UI_VERSION = "SD1"

#: None is that of a file; a miniature has a width of its own
_OTHER_WIDTHS = (None, 1024, 2048)
_ENCODER = "cond_stage_model.transformer."


def recognises(checkpoint: Weights | Folder) -> bool:
    """Look for the tensors of Hugging Face's CLIP; in a folder, for a text width that no other family has."""
    return has_tensors(checkpoint, _ENCODER) or text_width(checkpoint) not in _OTHER_WIDTHS


def recognises_lora(inputs: Mapping[str, int]) -> bool:
    """Look for a text width that no other family has."""
    return lora_text_width(inputs) not in _OTHER_WIDTHS


def modules_of(weight: str) -> tuple[str, ...]:
    """List the modules of a weight: 192 in the U-Net and 72 in the text encoder are trained."""
    if weight.startswith(("unet.", "text_encoder.")):
        return names.folder_modules(weight)
    if weight.startswith(names.UNET):
        return names.unet_modules(weight)
    if weight.startswith(_ENCODER):
        # some checkpoints leave "text_model." out; sd-scripts puts it back
        path = weight.removesuffix(".weight").removeprefix(_ENCODER).removeprefix("text_model.")
        return (names.joined("lora_te_text_model_", path),)
    return ()


is_trained = names.is_linear_of_transformers
