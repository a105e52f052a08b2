"""kohya's sd-scripts, at the commit that this version of lorarecipe was tested with."""

from __future__ import annotations

from collections.abc import Sequence

from lorarecipe.engines.pinned import pin

NAME = "sd-scripts"
TITLE = "sd-scripts"
FAMILIES: Sequence[str] = ("sd15", "sd2", "sdxl")
COMPONENTS: Sequence[str] = ("path", "vae")
READS_FOLDERS = False
OPTIMIZERS: Sequence[str] = ()
OPTIONS: Sequence[str] = ()
MASKS: Sequence[str] = ("figure",)
TRAINS_VELOCITY = True
LOADS_BASES = True
NEEDS_LAUNCHER = True
MOST_PROCESSES = 64
#: accelerate 1.6 wraps the U-Net for several processes on the CPU though nothing of it is trained, which torch refuses
SHARES_ON_CPU = False
RESUMES_SHARED = False
COUNTS_ON = False
LIBRARIES: Sequence[str] = ()


def version() -> str:
    """Commit of the pinned checkout."""
    return pin().commit
