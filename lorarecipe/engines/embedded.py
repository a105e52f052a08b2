"""A small trainer on diffusers that comes with lorarecipe, for the demo and for rehearsals."""

from __future__ import annotations

from collections.abc import Sequence

NAME = "embedded"
TITLE = "the embedded trainer"
FAMILIES: Sequence[str] = ("sd15",)
COMPONENTS: Sequence[str] = ("path",)
READS_FOLDERS = True
OPTIMIZERS: Sequence[str] = ("AdamW",)
OPTIONS: Sequence[str] = ("min_snr_gamma", "min_timestep", "max_timestep")
MASKS: Sequence[str] = ("figure", "figure-by-area", "prior")
TRAINS_VELOCITY = False
LOADS_BASES = False
NEEDS_LAUNCHER = False
MOST_PROCESSES = 64
SHARES_ON_CPU = True
RESUMES_SHARED = True
COUNTS_ON = True
LIBRARIES: Sequence[str] = ("torch", "diffusers", "peft", "accelerate", "transformers")


def version() -> str:
    """Raised when this trainer would give other weights than before."""
    return "embedded-2"
