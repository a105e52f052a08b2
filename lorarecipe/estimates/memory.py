"""Memory of the device that trains, in bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from lorarecipe.errors import data_size
from lorarecipe.estimates.sizes import SIZES
from lorarecipe.families.names import UNET
from lorarecipe.plan import TrainStage
from lorarecipe.weights import open_checkpoint

#: bytes that an optimizer keeps for each number that is trained; AdaFactor's are at the most this, at rank 1
OPTIMIZER_BYTES: Mapping[str, int] = {
    "AdamW": 8,
    "AdamW8bit": 2,
    "PagedAdamW8bit": 2,
    "Lion": 4,
    "Lion8bit": 1,
    "Prodigy": 16,
    "AdaFactor": 4,
    "AdamWScheduleFree": 8,
}
_TEXT_ENCODERS = ("cond_stage_model.", "conditioner.", "text_encoder.", "text_encoder_2.")
#: a model whose U-Net has that much more or less than its family's is of another size
_ALIKE = 0.05
#: for kernels' scratch space and memory that is set aside and not used, and for the libraries of the GPU itself
_SCRATCH, _LIBRARIES = 0.25, 1_000_000_000


@dataclass(frozen=True)
class Memory:
    """What a training holds on its device."""

    weights: int
    """Of the U-Net and of the text encoders."""
    trained: int
    """The LoRA, its gradients, and what the optimizer keeps."""
    activations: int | None
    """None for a model whose size is not its family's: it was not counted."""

    @property
    def least(self) -> int:
        """What it cannot do without."""
        return self.weights + self.trained + (self.activations or 0)

    @property
    def most(self) -> int | None:
        """With an allowance for what cannot be counted; None where activations are not known."""
        return None if self.activations is None else round(self.least * (1 + _SCRATCH)) + _LIBRARIES

    def __str__(self) -> str:
        """Say it with its parts."""
        parts = f"weights {data_size(self.weights)}, LoRA with gradients and optimizer {data_size(self.trained)}"
        if self.activations is None or self.most is None:
            return f"at least {data_size(self.least)} ({parts}; activations of a model of this size are not known)"
        parts = f"{parts}, activations {data_size(self.activations)}"
        return f"about {data_size(self.least)} to {data_size(self.most)} ({parts})"


def memory_of(stage: TrainStage) -> Memory:
    """Estimate the memory of a training, on each of its devices.

    The VAE is not in it: images are encoded before the training, and the VAE leaves the device then.
    """
    training, sizes = stage.training, SIZES[stage.model.family]
    unet, text_encoders, lora, full_size = sizes.unet, sizes.text_encoders, 0, True
    trains_text = training.text_encoder_lr is not None
    if stage.model.main.coming:
        lora = training.rank * (sizes.lora + (sizes.text_lora if trains_text else 0))
    else:
        unet, text_encoders = _values(stage)
        lora, full_size = stage.lora_size // 4, abs(unet / sizes.unet - 1) < _ALIKE
    extra = training.extra
    text_width = 1 if extra.get("fp8_base") else _width(stage)
    weights = unet * _unet_width(stage) + (0 if extra.get("cache_text_encoder_outputs") else text_encoders * text_width)
    lora_width = 2 if extra.get("full_fp16") or extra.get("full_bf16") else 4
    copies = 3 if stage.processes > 1 else 2  # the LoRA, its gradients, and those that processes exchange
    trained = lora * (copies * lora_width + OPTIMIZER_BYTES[training.optimizer])
    return Memory(weights, trained, _activations(stage) if full_size else None)


def unet_bytes(stage: TrainStage) -> int:
    """Count the bytes of the U-Net's weights as they are trained on, by the checkpoint's header."""
    return _values(stage)[0] * _unet_width(stage)


def _width(stage: TrainStage) -> int:
    return 4 if stage.training.precision == "no" else 2


def _unet_width(stage: TrainStage) -> int:
    extra = stage.training.extra
    return 1 if extra.get("fp8_base") or extra.get("fp8_base_unet") else _width(stage)


def _values(stage: TrainStage) -> tuple[int, int]:
    """Count the numbers of the U-Net and of the text encoders, by the checkpoint's header."""
    path = stage.model.main.path
    shapes = open_checkpoint(path).shapes
    unet = sum(math.prod(shape) for name, shape in shapes.items() if name.startswith((UNET, "unet.")))
    return unet, sum(math.prod(shape) for name, shape in shapes.items() if name.startswith(_TEXT_ENCODERS))


def _activations(stage: TrainStage) -> int:
    training, sizes = stage.training, SIZES[stage.model.family]
    kept = sizes.full if training.precision == "no" else sizes.half
    pixels = max(
        (bucket.width * bucket.height for bucket in stage.steps.buckets), default=math.prod(training.resolution)
    )
    image = pixels * (kept.checkpointed if training.gradient_checkpointing else kept.pixel)
    return training.batch_size * (image + (kept.text if training.text_encoder_lr is not None else 0))
