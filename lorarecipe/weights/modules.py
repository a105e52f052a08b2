"""Which LoRA module (kohya's names) belongs to which weight of a checkpoint.

Kohya names a LoRA module after the Diffusers path of the layer it sits on for SD1 and SD2, and after the
checkpoint's own path for SDXL's U-Net; dots become underscores. The table was checked against the modules
that ``networks.lora`` creates on the three families.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

Family = Literal["sd15", "sd2", "sdxl"]

_UNET = "model.diffusion_model."
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


def lora_modules(names: Iterable[str]) -> frozenset[str]:
    """Modules of a LoRA in kohya's format: what stands before ``.lora_down.weight``."""
    return frozenset(name.removesuffix(".lora_down.weight") for name in names if name.endswith(".lora_down.weight"))


def module_of(weight: str, family: Family) -> tuple[str, ...]:
    """LoRA modules that may sit on a checkpoint's weight.

    Parameters
    ----------
    weight
        Name of a tensor in a single-file checkpoint, or in a Diffusers folder (``unet.``, ``text_encoder.``; SD1 only).
    family
        Family of the checkpoint.

    Returns
    -------
    tuple of str
        None, one, or three modules: OpenCLIP keeps query, key and value (in this order, along the first
        axis) in one tensor.
    """
    layer = weight.removesuffix(".weight")
    if weight.startswith(("unet.", "text_encoder.")):
        return _folder_modules(layer)
    if weight.startswith(_UNET):
        if family == "sdxl":
            return ("lora_unet_" + layer.removeprefix(_UNET).replace(".", "_"),)
        name = _diffusers_path(layer.removeprefix(_UNET))
        return ("lora_unet_" + name.replace(".", "_"),) if name else ()
    if family == "sdxl":
        if layer.startswith("conditioner.embedders.0.transformer."):
            return ("lora_te1_" + layer.removeprefix("conditioner.embedders.0.transformer.").replace(".", "_"),)
        return _openclip_modules(weight, "conditioner.embedders.1.model.", "lora_te2_")
    if family == "sd2":
        return _openclip_modules(weight, "cond_stage_model.model.", "lora_te_")
    if layer.startswith("cond_stage_model.transformer."):
        # some checkpoints leave "text_model." out; sd-scripts puts it back
        path = layer.removeprefix("cond_stage_model.transformer.").removeprefix("text_model.")
        return ("lora_te_text_model_" + path.replace(".", "_"),)
    return ()


def trained_modules(shapes: Mapping[str, tuple[int, ...]], family: Family, text_encoder: bool) -> frozenset[str]:
    """Modules that ``networks.lora`` trains on a checkpoint unless it is told otherwise.

    The linear and 1x1 layers of the U-Net's transformers, and those of the text encoders' attention and MLP:
    192 and 72 on SD1.5. The last layer of SD2's text encoder is never used, so it is not loaded.
    """
    return frozenset(
        module
        for name, shape in shapes.items()
        if len(shape) > 1
        for module in module_of(name, family)
        if (
            _TRANSFORMER.search(module) if module.startswith("lora_unet_") else text_encoder and _ENCODER.search(module)
        )
        and not (family == "sd2" and "_layers_23_" in module)
    )


def lora_values(shapes: Mapping[str, tuple[int, ...]], family: Family, text_encoder: bool) -> int:
    """Count the numbers of a LoRA of rank 1 on the modules that ``networks.lora`` trains: those in and those out."""
    trained, count = trained_modules(shapes, family, text_encoder), 0
    for name, shape in shapes.items():
        if modules := trained.intersection(module_of(name, family)):
            count += shape[0] + len(modules) * shape[1]
    return count


def _folder_modules(layer: str) -> tuple[str, ...]:
    """Modules of a Diffusers folder's weight: its names are kohya's already, but for the prefix."""
    part, path = layer.split(".", 1)
    if part == "text_encoder":
        path = "text_model." + path.removeprefix("text_model.")  # left out since transformers 5
    return (("lora_unet_" if part == "unet" else "lora_te_") + path.replace(".", "_"),)


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


def _openclip_modules(weight: str, prefix: str, lora_prefix: str) -> tuple[str, ...]:
    block = re.fullmatch(re.escape(prefix) + r"transformer\.resblocks\.(\d+)\.(.+)", weight)
    if not block:
        return ()
    stem = f"{lora_prefix}text_model_encoder_layers_{block[1]}_"
    if block[2] == "attn.in_proj_weight":
        return tuple(f"{stem}self_attn_{part}_proj" for part in "qkv")
    layer = _OPENCLIP.get(block[2].removesuffix(".weight"))
    return (stem + layer.replace(".", "_"),) if layer else ()
