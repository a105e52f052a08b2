"""A LoRA that another stage uses: one that a run trains, or a base that was trained elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from lorarecipe.plan.stage import FolderOf, Keyed, Source, Stage
from lorarecipe.recipe import Training

Role = Literal["base", "target", "control", "plain", "teacher", "distilled", "refined"]


class Lora(Protocol):
    """What a stage has to know of a LoRA that it uses."""

    @property
    def key(self) -> str:
        """Key of the training, or of the file."""

    @property
    def role(self) -> Role:
        """What the LoRA is for."""

    @property
    def training(self) -> Training | None:
        """Settings that it was trained with; None where they are not known."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stage that makes it; none for a file of the author's."""

    @property
    def files(self) -> tuple[Source, ...]:
        """The author's file; none for one that a stage makes."""

    def file(self, folder_of: FolderOf, epoch: int | None = None) -> Path:
        """Path of the finished LoRA, or of the one that was saved after an epoch."""


@dataclass(frozen=True)
class BaseFile(Keyed):
    """A base that was trained elsewhere."""

    kind = "file"
    path: Path
    sha256: str

    @property
    def role(self) -> Role:
        """It is a base: nothing else is taken from elsewhere."""
        return "base"

    @property
    def training(self) -> Training | None:
        """Not known."""
        return None

    def identity(self) -> dict[str, object]:
        """Digest of the file."""
        return {"sha256": self.sha256}

    @property
    def stages(self) -> tuple[Stage, ...]:
        """None: nothing makes it."""
        return ()

    @property
    def files(self) -> tuple[Source, ...]:
        """The file itself."""
        return (Source(self.path, self.sha256),)

    def file(self, folder_of: FolderOf, epoch: int | None = None) -> Path:  # noqa: ARG002 - there is this one only
        """Path of the file."""
        return self.path
