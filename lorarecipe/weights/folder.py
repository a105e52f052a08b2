"""Read a checkpoint that is a Diffusers folder as if it were one file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from lorarecipe.files import digest_of, large_file_digest, read_json
from lorarecipe.weights.file import SafetensorsError, Weights

#: whose tensors are read; a tensor is named after its part, ``unet.conv_in.weight``
_PARTS = {
    "unet": "unet/diffusion_pytorch_model.safetensors",
    "text_encoder": "text_encoder/model.safetensors",
}
_VAE = "vae/diffusion_pytorch_model.safetensors"
#: all that makes the checkpoint; what else a download leaves (other precisions, pickles, caches) is left alone
_FILES = (
    *("model_index.json", "unet/config.json", "text_encoder/config.json", "vae/config.json"),
    *("tokenizer/*", "scheduler/*", _VAE, *_PARTS.values()),
)


#: kinds of files that change how a checkpoint is loaded; weights of other precisions and pickles are not looked at
_READ_TOO = frozenset({".json", ".py"})


@dataclass(frozen=True)
class Folder:
    """A Diffusers folder whose U-Net, text encoder and VAE were opened and found whole.

    Raises
    ------
    SafetensorsError
        When one of them is missing or torn, or another file of the checkpoint is missing.
    """

    path: Path

    def __post_init__(self) -> None:
        """Open what holds tensors, and look for the rest."""
        _ = self.parts, Weights(self.path / _VAE)
        for pattern in _FILES:
            found = list(self.path.glob(pattern))
            if not found:
                raise SafetensorsError(f"{self.path}: no Diffusers checkpoint ({pattern} is missing)")
            if odd := [path for path in found if not path.is_file()]:  # a pipe would be waited for
                raise SafetensorsError(f"{odd[0]}: not a regular file")
        if strangers := self._strangers():
            raise SafetensorsError(
                f"{self.path}: holds {', '.join(strangers)}, which the trainer would read too and which no digest "
                "covers; move them away"
            )

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

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """The files that make the checkpoint."""
        found = (path for pattern in _FILES for path in sorted(self.path.glob(pattern)))
        return tuple(path for path in found if path.is_file() and not path.name.startswith("."))

    @cached_property
    def digest(self) -> str:
        """Digest of every file's digest; the order of files on the disk is not in it."""
        return digest_of({path.relative_to(self.path).as_posix(): large_file_digest(path) for path in self.files})

    @property
    def text_width(self) -> int:
        """Width of the text encoder's output that the U-Net's configuration names; 0 where it names none."""
        width = self._config("unet/config.json").get("cross_attention_dim")
        return width if isinstance(width, int) else 0

    @property
    def predicts_noise(self) -> bool:
        """Whether the scheduler's configuration says that the checkpoint predicts noise, or says nothing."""
        return bool(self._config("scheduler/scheduler_config.json").get("prediction_type", "epsilon") == "epsilon")

    def _strangers(self) -> list[str]:
        """Name what would change how the parts are loaded: lists of shards, adapters, configurations, code."""
        parts = (self.path / name for name in (*_PARTS, "vae"))
        found = (path for part in parts for path in part.iterdir() if path.suffix in _READ_TOO and path.is_file())
        return sorted(path.relative_to(self.path).as_posix() for path in {*found} - {*self.files})

    def _config(self, name: str) -> dict[str, Any]:
        try:
            read = read_json(self.path / name)
        except (OSError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}

    def dtype(self, name: str) -> str:
        """Data type of a tensor as the header writes it (``F16``)."""
        part, rest = name.split(".", 1)
        return self.parts[part].dtype(rest)

    def read(self, name: str) -> npt.NDArray[np.float32]:
        """Read a float tensor as float32."""
        part, rest = name.split(".", 1)
        return self.parts[part].read(rest)


def checkpoint_files(paths: Iterable[str]) -> frozenset[str]:
    """Give those of a folder's files that make a checkpoint; paths are relative to it, with ``/`` between folders.

    Raises
    ------
    SafetensorsError
        When there is none of a kind.
    """
    known, chosen = [PurePosixPath(path) for path in paths], set[str]()
    for pattern in _FILES:
        found = {path for path in known if _fits(path, pattern)}
        if not found:
            raise SafetensorsError(f"{pattern} is missing")
        chosen |= {str(path) for path in found}
    return frozenset(chosen)


def _fits(path: PurePosixPath, pattern: str) -> bool:
    same_depth = len(path.parts) == len(PurePosixPath(pattern).parts)
    return same_depth and path.match(pattern) and not path.name.startswith(".")


def open_checkpoint(path: Path) -> Weights | Folder:
    """Open a checkpoint of either form.

    Raises
    ------
    SafetensorsError
        When it is torn, or something else altogether.
    """
    return Folder(path) if path.is_dir() else Weights(path)
