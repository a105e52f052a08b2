"""Choose the samples that are published, which are also what the card and the sheet show."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.marked import is_marked
from lorarecipe.records import Shot

#: pictures at most
_MOST = 8
#: folder in the repository
IMAGES = "images"


@dataclass(frozen=True)
class Picture:
    """A sample, and what it was drawn from."""

    path: Path
    prompt: str
    negative: str

    @property
    def place(self) -> str:
        """Path in the repository."""
        return f"{IMAGES}/{self.path.name}"


@dataclass(frozen=True)
class Drawn:
    """A LoRA as samples were drawn with it: its arm, its epoch (None for the last) and its weight."""

    arm: str
    epoch: int | None
    weight: float


def pictures_of(
    folder: Path, shots: Sequence[Shot], drawn: Drawn, negative: str, unrelated: Collection[str]
) -> tuple[Picture, ...]:
    """Choose samples of a LoRA: the first of each prompt.

    Parameters
    ----------
    folder
        The result's folder.
    shots
        All samples.
    drawn
        The LoRA; of the weights that were drawn, the nearest is taken.
    negative
        What the samples were told not to show.
    unrelated
        Prompts of the samples that do not show the character.
    """
    fitting = [shot for shot in shots if (shot.arm, shot.epoch) == (drawn.arm, drawn.epoch) and shot.weight]
    nearest = min((shot.weight for shot in fitting), key=lambda weight: abs(weight - drawn.weight), default=0)
    chosen: dict[str, Picture] = {}
    for shot in sorted(fitting, key=lambda shot: shot.path):
        path = folder / shot.path
        if shot.weight == nearest and shot.prompt and shot.prompt not in unrelated and is_marked(path):
            chosen.setdefault(shot.prompt, Picture(path, shot.prompt, negative))
    return tuple(chosen.values())[:_MOST]
