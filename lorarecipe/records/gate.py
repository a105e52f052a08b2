"""What a base, or a merged checkpoint, has shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["pass", "doubtful", "fail"]


@dataclass(frozen=True)
class Check:
    """What a base has to show: in how many pictures it does, and what follows."""

    name: str
    right: int
    of: int
    verdict: Verdict
    note: str = ""


@dataclass(frozen=True)
class GatePicture:
    """What was measured of one picture of a gate, beside what was asked for."""

    path: str
    """Relative to the result's folder."""
    prompt: str
    seed: int
    scene: bool
    """Whether the prompt asks for what the renders do not have."""
    white: float
    """Share of white along the edge, where no figure reaches it."""
    overlap: float
    """What its outline has in common with the nearest render's, from 0 to 1."""
    shading: float
    """Softness of the shading, divided by that of the nearest render."""
    zoom: str | None
    """Zoom tag of the nearest render."""
    hair: tuple[float, float, float] | None
    """L*a*b* of the crown."""
    hair_read: str | None
    """The nearest of the hair colours that the prompts ask for."""


@dataclass(frozen=True)
class Gate:
    """What a base (``of`` is ``base``), or the checkpoint that it was merged into (``merged``), showed."""

    of: Literal["base", "merged"]
    verdict: Verdict
    """The worst of the checks'."""
    checks: tuple[Check, ...]
    pictures: tuple[GatePicture, ...]
    drawn: dict[str, float] = field(default_factory=dict)
    """How the pictures were drawn: the first seed, pictures a prompt, steps, guidance scale."""
