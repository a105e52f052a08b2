"""Read a checkpoint that is a Diffusers folder as if it were one file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lorarecipe.files import digest_of, file_digest
from lorarecipe.weights.file import Weights

#: what is read of it; a tensor is named after its part, ``unet.conv_in.weight``
_PARTS = {
    "unet": "unet/diffusion_pytorch_model.safetensors",
    "text_encoder": "text_encoder/model.safetensors",
}


@dataclass(frozen=True)
class Folder:
    """A Diffusers folder whose U-Net and text encoder were opened and found whole.

    Raises
    ------
    SafetensorsError
        When one of the two is missing or torn.
    """

    path: Path

    def __post_init__(self) -> None:
        """Open both files."""
        _ = self.parts

    @cached_property
    def parts(self) -> dict[str, Weights]:
        """The files that hold the U-Net and the text encoder."""
        return {part: Weights(self.path / file) for part, file in _PARTS.items()}

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of the tensors."""
        return frozenset(f"{part}.{name}" for part, weights in self.parts.items() for name in weights.names)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of the tensors."""
        return {f"{part}.{name}": shape for part, one in self.parts.items() for name, shape in one.shapes.items()}

    @property
    def precision(self) -> str:
        """Precision of the U-Net, in sd-scripts' words."""
        return self.parts["unet"].precision

    @cached_property
    def digest(self) -> str:
        """Digest of every file's digest; the order of files on the disk is not in it."""
        files = (path for path in self.path.rglob("*") if path.is_file() and not path.name.startswith("."))
        return digest_of({path.relative_to(self.path).as_posix(): file_digest(path) for path in files})

    def dtype(self, name: str) -> str:
        """Data type of a tensor as the header writes it (``F16``)."""
        part, rest = name.split(".", 1)
        return self.parts[part].dtype(rest)

    def read(self, name: str) -> npt.NDArray[np.float32]:
        """Read a float tensor as float32."""
        part, rest = name.split(".", 1)
        return self.parts[part].read(rest)


def open_checkpoint(path: Path) -> Weights | Folder:
    """Open a checkpoint of either form.

    Raises
    ------
    SafetensorsError
        When it is torn, or something else altogether.
    """
    return Folder(path) if path.is_dir() else Weights(path)
