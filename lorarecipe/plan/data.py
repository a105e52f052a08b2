"""The images of one phase, copied in the form that the trainer reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lorarecipe.plan.stage import Stage


@dataclass(frozen=True)
class Image:
    """An image to copy, its size in pixels, and the caption that is put beside it."""

    path: Path
    digest: str
    caption: str
    width: int
    height: int


@dataclass(frozen=True)
class DataStage(Stage):
    """A staged copy of the images of one phase, folder by folder."""

    kind = "data"
    is_shared = False
    groups: tuple[tuple[Image, ...], ...]
    masked: bool = field(default=False, kw_only=True)
    """Whether each copy says in its alpha where the figure is."""

    @property
    def why(self) -> str:
        """What the method needs it for."""
        return "a copy that the trainer reads without surprises: upright, on white, a caption beside each image"

    @property
    def paths(self) -> list[list[str]]:
        """Where the images are, folder by folder."""
        return [[str(image.path) for image in group] for group in self.groups]

    @property
    def size(self) -> int:
        """Bytes of the images."""
        return sum(image.path.stat().st_size for group in self.groups for image in group)

    def identity(self) -> dict[str, object]:
        """Digests and captions in the order in which the trainer will see them; 1 is the way of staging, of masks."""
        groups = [[[image.digest, image.caption] for image in group] for group in self.groups]
        return {"version": 1, "groups": groups} | ({"masks": 1} if self.masked else {})
