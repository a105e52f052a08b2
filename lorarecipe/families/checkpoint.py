"""What the checkpoints of several families have in common."""

from __future__ import annotations

from collections.abc import Sequence

from lorarecipe.weights import Folder, Weights

#: the checkpoint, one file or a Diffusers folder; and a VAE to use in place of its own
CHECKPOINT_AND_VAE: Sequence[str] = ("path", "vae")


def has_tensors(checkpoint: Weights | Folder, prefix: str) -> bool:
    """Tell whether the name of any tensor begins with ``prefix``."""
    return any(name.startswith(prefix) for name in checkpoint.names)


def text_width(checkpoint: Weights | Folder) -> int | None:
    """Width of the text encoder's output by the U-Net's configuration; None for a single file, which has none."""
    return checkpoint.text_width if isinstance(checkpoint, Folder) else None
