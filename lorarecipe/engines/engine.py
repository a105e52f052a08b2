"""What a trainer has to say of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Engine(Protocol):
    """One file of this folder: what a trainer accepts, and how it differs from others."""

    NAME: str
    """Name in a recipe."""
    TITLE: str
    """Name in a sentence."""
    FAMILIES: Sequence[str]
    """Model families that it trains."""
    COMPONENTS: Sequence[str]
    """Components of a checkpoint that it reads."""
    READS_FOLDERS: bool
    """Whether it reads a Diffusers folder, or else one file."""
    OPTIMIZERS: Sequence[str]
    """Optimizers that it has; empty for all that a recipe can name."""
    OPTIONS: Sequence[str]
    """Options in ``extra`` that it has; empty for all that a recipe can name."""
    MASKS: Sequence[str]
    """Values of ``mask`` that it knows."""
    TRAINS_VELOCITY: bool
    """Whether it trains checkpoints that predict velocity."""
    LOADS_BASES: bool
    """Whether it can merge a base in memory."""
    NEEDS_LAUNCHER: bool
    """Whether accelerate's launcher starts it even where one process trains alone."""
    MOST_PROCESSES: int
    """Processes that can share a training."""
    SHARES_ON_CPU: bool
    """Whether several processes can share a training on the CPU."""
    RESUMES_SHARED: bool
    """Whether a training that several processes share can go on from a state."""
    COUNTS_ON: bool
    """Whether a resumed training counts its steps on from where it was, or else from nothing."""

    LIBRARIES: Sequence[str]
    """Libraries that it needs in lorarecipe's own environment; empty for a trainer that has one of its own."""

    def version(self) -> str:
        """Version of the trainer as it stands in the keys of stages."""
