"""What the LoRA of a family consists of on a given checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

from lorarecipe.families.family import Family
from lorarecipe.families.names import UNET_MODULE

Shapes = Mapping[str, tuple[int, ...]]


def trained_modules(shapes: Shapes, family: Family, *, text_encoder: bool) -> frozenset[str]:
    """List the modules that the trainer trains on a checkpoint by default.

    Parameters
    ----------
    shapes
        Shape of each tensor of the checkpoint, by its name.
    family
        Family of the checkpoint.
    text_encoder
        Whether the text encoder is trained too.
    """
    modules = (module for name, shape in shapes.items() if len(shape) > 1 for module in family.modules_of(name))
    return frozenset(
        module for module in modules if family.is_trained(module) and (text_encoder or module.startswith(UNET_MODULE))
    )


def lora_values(shapes: Shapes, family: Family, *, text_encoder: bool) -> int:
    """Count the numbers of a LoRA of rank 1 on the modules that the trainer trains: those in and those out."""
    trained, count = trained_modules(shapes, family, text_encoder=text_encoder), 0
    for name, shape in shapes.items():
        if modules := trained.intersection(family.modules_of(name)):
            count += shape[0] + len(modules) * shape[1]
    return count
