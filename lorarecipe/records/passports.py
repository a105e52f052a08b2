"""What a base was made from and what it showed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import JsonValue

from lorarecipe import __version__
from lorarecipe.records.gate import Gate


@dataclass(frozen=True)
class CheckpointUsed:
    """The checkpoint that a base is for."""

    family: str
    file: str
    sha256: str
    clip_skip: int | None
    v_prediction: bool


@dataclass(frozen=True)
class Network:
    """The form of a LoRA; rank and alpha are None where this run did not train it."""

    module: str
    modules: int
    rank: int | None = None
    alpha: float | None = None


@dataclass(frozen=True)
class TrainedBy:
    """What has trained a base."""

    engine: str
    commit: str


@dataclass(frozen=True)
class CastMember:
    """One character of a base."""

    traits: tuple[str, ...]
    images: int
    repeats: int


@dataclass(frozen=True)
class Passport:
    """What a base was made from and what it showed; ``of`` are keys of the stages that it is about.

    Where this run did not train the base, what is known of its training alone is missing.
    """

    name: str
    sha256: str
    key: str
    of: tuple[str, ...]
    checkpoint: CheckpointUsed
    network: Network
    gate: tuple[Gate, ...]
    trainer: TrainedBy | None = None
    training: dict[str, JsonValue] = field(default_factory=dict)
    """The settings, as in a recipe."""
    steps: int | None = None
    cast: tuple[CastMember, ...] = ()
    captions: dict[str, int] = field(default_factory=dict)
    """How many images have each tag."""
    hair_lab: dict[str, tuple[float, float, float]] = field(default_factory=dict)
    """L*a*b* of each hair colour."""
    format: Literal[1] = 1
    lorarecipe: str = __version__
