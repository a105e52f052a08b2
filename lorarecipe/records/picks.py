"""Drawn pictures, and which of them are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lorarecipe import __version__


@dataclass(frozen=True)
class Pick:
    """A drawn picture, and whether it is trained on."""

    name: str
    prompt: str
    times: int
    """How often it stands in the set: none of what is not picked, several where too few are fit."""
    measured: dict[str, float | None]
    """By the key of the measure, or ``hairstyle``."""
    why: str


@dataclass(frozen=True)
class Choice:
    """What was picked by measures."""

    pictures: tuple[Pick, ...]
    lorarecipe: str = __version__


@dataclass(frozen=True)
class Candidate:
    """A drawn picture that may be picked; ``path`` is relative to the result's folder."""

    path: str
    name: str
    prompt: str
    seed: int
    picked: bool
    why: str = ""
    """Why it was picked or not, where measures did it."""


@dataclass(frozen=True)
class Candidates:
    """Pictures to pick from; ``of`` are keys of the stages that it is about."""

    of: tuple[str, ...]
    pictures: tuple[Candidate, ...]
    table: Literal["distill", "refine"] | None = "distill"
    """Table of the recipe that an author's picks go into; None where it takes none."""
    lorarecipe: str = __version__
