"""What a LoRA brings along besides its character, and how it is best used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from lorarecipe import __version__


@dataclass(frozen=True)
class Shot:
    """One sample, measured; ``path`` is relative to the result's folder."""

    path: str
    arm: str
    """``without`` the LoRA, ``target``, ``refined``, ``control``, or ``base``: the base's own LoRA."""
    epoch: int | None
    """None for the last."""
    weight: float
    prompt: str
    seed: int
    measured: dict[str, float | None]
    """By the key of the measure; None where it makes no sense for this picture."""


@dataclass(frozen=True)
class Row:
    """Means over the pictures of one arm, epoch and weight."""

    arm: str
    epoch: int | None
    weight: float
    pictures: int
    measured: dict[str, float | None]
    """By the key of the measure; None where it makes no sense for any of the pictures."""


@dataclass(frozen=True)
class Point:
    """How a LoRA does in use: an arm, its epoch (None for the last) and its weight."""

    arm: str
    epoch: int | None
    weight: float
    unlike: float
    """How far from the character, as a distance of colours (dE76); less is more alike."""
    leak: float
    """What it leaks, where 1 is the most that it may."""
    front: bool
    """Whether it is delivered, and no other beats it in both."""


@dataclass(frozen=True)
class Advice:
    """Which epoch (None for the last) and weight to use, of which arm's LoRA, and why."""

    epoch: int | None
    weight: float
    reason: str
    arm: Literal["refined", "target"] | None = None
    """Which of the two, where both are delivered."""

    @property
    def use(self) -> str:
        """Say what to use."""
        epoch = f"epoch {self.epoch}" if self.epoch else "the last epoch"
        use = {
            None: f"Use {epoch} at weight {self.weight:g}",
            "refined": f"Use the refined LoRA, {epoch} at weight {self.weight:g}",
            "target": f"Use the target's LoRA (NAME-target), {epoch} at weight {self.weight:g}",
        }
        return use[self.arm]

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.use}: {self.reason}"


@dataclass(frozen=True)
class Leak:
    """The leak test of a result; ``of`` are keys of the stages that it is about."""

    of: tuple[str, ...]
    advice: Advice | None
    """A rehearsal has none."""
    rows: tuple[Row, ...]
    pictures: tuple[Shot, ...]
    points: tuple[Point, ...] = ()
    """Likeness and leak of each row but those without a LoRA; a rehearsal has none."""
    proven_on: str = "the demo's world only"
    lorarecipe: str = __version__

    @property
    def without_advice(self) -> Leak:
        """The same measurements, of which nothing follows: those of a rehearsal."""
        return replace(self, advice=None, points=())
