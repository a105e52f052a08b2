"""Kohya's names of LoRA modules.

Kohya names a module after the Diffusers path of the layer it sits on for SD1 and SD2, and after the checkpoint's own
path for SDXL's U-Net; dots become underscores.
"""

from __future__ import annotations

import re

UNET = "model.diffusion_model."
UNET_MODULE = "lora_unet_"
_RESNET = {
    "in_layers.2": "conv1",
    "out_layers.3": "conv2",
    "emb_layers.1": "time_emb_proj",
    "skip_connection": "conv_shortcut",
}
_TRANSFORMER = re.compile(r"_(attn[12]_to_(q|k|v|out_0)|ff_net_(0_proj|2)|proj_in|proj_out)$")
_ENCODER = re.compile(r"_(self_attn_(q|k|v|out)_proj|mlp_fc[12])$")
#: OpenCLIP's layer -> Hugging Face CLIP's, in a residual block; ``attn.in_proj`` holds three layers in one
_OPENCLIP = {"attn.out_proj": "self_attn.out_proj", "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2"}


def joined(prefix: str, path: str) -> str:
    """Name a module: its prefix, and its path with dots as underscores."""
    return prefix + path.replace(".", "_")


def is_linear_of_transformers(module: str) -> bool:
    """Tell whether ``networks.lora`` trains a module by default.

    These are the linear and 1x1 layers of the U-Net's transformers, and those of the text encoders' attention and MLP.
    """
    return bool((_TRANSFORMER if module.startswith(UNET_MODULE) else _ENCODER).search(module))


def folder_modules(weight: str) -> tuple[str, ...]:
    """Modules of a Diffusers folder's weight: its names are kohya's already, but for the prefix."""
    part, path = weight.removesuffix(".weight").split(".", 1)
    if part == "text_encoder":
        # some versions of transformers leave "text_model." out; sd-scripts puts it back
        return (joined("lora_te_", "text_model." + path.removeprefix("text_model.")),)
    return (joined(UNET_MODULE, path),)


def unet_modules(weight: str) -> tuple[str, ...]:
    """Modules of a weight of an SD1 or SD2 U-Net in a single-file checkpoint."""
    path = _diffusers_path(weight.removesuffix(".weight").removeprefix(UNET))
    return (joined(UNET_MODULE, path),) if path else ()


def openclip_modules(weight: str, prefix: str, module_prefix: str) -> tuple[str, ...]:
    """Modules of a weight of an OpenCLIP text encoder, whose tensors' names begin with ``prefix``."""
    block = re.fullmatch(re.escape(prefix) + r"transformer\.resblocks\.(\d+)\.(.+)", weight)
    if not block:
        return ()
    stem = f"{module_prefix}text_model_encoder_layers_{block[1]}_"
    if block[2] == "attn.in_proj_weight":
        return tuple(f"{stem}self_attn_{part}_proj" for part in "qkv")
    layer = _OPENCLIP.get(block[2].removesuffix(".weight"))
    return (joined(stem, layer),) if layer else ()


def _diffusers_path(layer: str) -> str | None:
    """``input_blocks.1.1.norm`` -> ``down_blocks.0.attentions.0.norm``: three blocks to a level."""
    if middle := re.fullmatch(r"middle_block\.(\d)\.(.+)", layer):
        index, rest = int(middle[1]), middle[2]
        if index == 1:
            return f"mid_block.attentions.0.{rest}"
        return f"mid_block.resnets.{index // 2}.{_RESNET.get(rest, rest)}"
    if not (block := re.fullmatch(r"(input|output)_blocks\.(\d+)\.(\d)\.(.+)", layer)):
        return None
    side, number, part, rest = block[1], int(block[2]), int(block[3]), block[4]
    if side == "input":
        if rest == "op":
            return f"down_blocks.{number // 3 - 1}.downsamplers.0.conv"
        level, index, name = (number - 1) // 3, (number - 1) % 3, "down_blocks"
    else:
        level, index, name = number // 3, number % 3, "up_blocks"
        if rest == "conv":
            return f"{name}.{level}.upsamplers.0.conv"
    if number == 0 and side == "input":
        return None
    if part == 0:
        return f"{name}.{level}.resnets.{index}.{_RESNET.get(rest, rest)}"
    return f"{name}.{level}.attentions.{index}.{rest}"
