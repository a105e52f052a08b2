"""Sizes of the families' models of full size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Activations:
    """Bytes that a training keeps from the forward pass until the backward pass, at one precision."""

    pixel: int
    """For each pixel of each image of a batch."""
    checkpointed: int
    """The same with gradient checkpointing: inputs of the blocks that are computed again, and the largest block."""
    text: int
    """For the caption of each image, where the text encoders are trained."""


@dataclass(frozen=True)
class Sizes:
    """A family's model: how many numbers it has, and what a training keeps of it."""

    unet: int
    text_encoders: int
    lora: int
    """Numbers of a LoRA of rank 1 on the U-Net."""
    text_lora: int
    """Numbers of a LoRA of rank 1 on the text encoders."""
    half: Activations
    full: Activations


#: counted on torch's meta device, which computes no numbers, in diffusers' and transformers' models of these families
#: with a LoRA of rank 16, at 512x512; attention is ``sdpa``, and with mixed precision the norms are float32
#: (``python -m tests.bench.activations``)
SIZES: Mapping[str, Sizes] = {
    "sd15": Sizes(
        unet=859_520_964,
        text_encoders=123_060_480,
        lora=423_936,
        text_lora=165_888,
        half=Activations(pixel=4730, checkpointed=1102, text=23_143_968),
        full=Activations(pixel=7063, checkpointed=1744, text=40_021_536),
    ),
    "sd2": Sizes(
        unet=865_910_724,
        text_encoders=340_387_840,
        lora=432_128,
        text_lora=423_936,
        half=Activations(pixel=4651, checkpointed=1023, text=44_310_768),
        full=Activations(pixel=7062, checkpointed=1744, text=72_941_808),
    ),
    "sdxl": Sizes(
        unet=2_567_463_684,
        text_encoders=816_081_920,
        lora=2_659_840,
        text_lora=903_168,
        half=Activations(pixel=8090, checkpointed=843, text=100_017_408),
        full=Activations(pixel=13_014, checkpointed=1382, text=166_692_096),
    ),
}
