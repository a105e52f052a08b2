"""What stages are made from and no trainer makes: images, checkpoints, bases that were trained elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from lorarecipe.files import digest_of
from lorarecipe.weights import Family


class Keyed:
    """Something whose key is the digest of its identity."""

    kind: ClassVar[str]

    def identity(self) -> dict[str, Any]:
        """Give what the key is the digest of."""
        raise NotImplementedError

    @cached_property
    def key(self) -> str:
        """SHA-256 (hex) of the identity."""
        return digest_of({"stage": self.kind, **self.identity()})

    @property
    def short(self) -> str:
        """Kind and the key's first digits: the name of the stage's folder."""
        return f"{self.kind}-{self.key[:16]}"


@dataclass(frozen=True)
class Image:
    """An image to stage, and the caption that is put beside it."""

    path: Path
    digest: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True)
class DataStage(Keyed):
    """A staged copy of the images of one phase, folder by folder."""

    kind = "data"
    groups: tuple[tuple[Image, ...], ...]

    @property
    def why(self) -> str:
        """What the method needs it for, in a line."""
        return "a copy that the trainer reads without surprises: upright, on white, a caption beside each image"

    def identity(self) -> dict[str, Any]:
        """Digests and captions in the order in which the trainer will see them; 1 is the way of staging."""
        return {"version": 1, "groups": [[[image.digest, image.caption] for image in group] for group in self.groups]}


@dataclass(frozen=True)
class Model:
    """A checkpoint with what is needed to use it; ``precision`` is its own (``float``, ``fp16``, ``bf16``)."""

    family: Family
    path: Path
    sha256: str
    precision: str
    vae: Path | None = None
    vae_sha256: str | None = None
    clip_skip: int | None = None
    v_prediction: bool = False


@dataclass(frozen=True)
class BaseFile(Keyed):
    """A base that was trained elsewhere."""

    kind = "file"
    path: Path
    sha256: str

    def identity(self) -> dict[str, Any]:
        """Digest of the file."""
        return {"sha256": self.sha256}
