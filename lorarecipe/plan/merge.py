"""A checkpoint with the base in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lorarecipe.plan.lora import Lora
from lorarecipe.plan.model import Model
from lorarecipe.plan.stage import FolderOf, Source, Stage
from lorarecipe.weights import Folder


@dataclass(frozen=True)
class MergeStage(Stage):
    """The checkpoint with the base in it, in the form of the checkpoint: one file, or a Diffusers folder."""

    kind = "merge"
    is_shared = False
    model: Model
    base: Lora
    strength: float
    commit: str

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return "a checkpoint that draws any figure 3D, white and upright: a target on it need not learn that"

    @property
    def family(self) -> str | None:
        """Family of its checkpoint."""
        return self.model.family

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """The base's training."""
        return self.base.stages

    @property
    def sources(self) -> tuple[Source, ...]:
        """The checkpoint, and a base that was trained elsewhere."""
        return (self.model.main, *self.base.files)

    @property
    def size(self) -> int:
        """Bytes of the checkpoint: the merged one is as large."""
        path, coming = self.model.main.path, self.model.main.coming
        return coming or sum(file.stat().st_size for file in (Folder(path).files if path.is_dir() else (path,)))

    def identity(self) -> dict[str, object]:
        """Checkpoint, base, strength and trainer; no setting of the checkpoint changes a sum of weights."""
        return {
            "family": self.model.family,
            "checkpoint": self.model.main.sha256,
            "base": self.base.key,
            "strength": self.strength,
            "commit": self.commit,
        }

    def file(self, folder_of: FolderOf) -> Path:
        """Path of the merged checkpoint."""
        return folder_of(self.short) / ("merged" if self.model.main.is_folder else "merged.safetensors")
