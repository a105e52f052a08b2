"""Which torch a trainer has, and which GPUs that torch sees: asked of the trainer's own environment."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.errors import MachineNotReady
from lorarecipe.trainer.installed import Installation
from lorarecipe.trainer.process import scrubbed_environment

_ASK = Path(__file__).parent / "inside" / "torch_gpus.py"
#: the import of torch takes seconds, and on a slow disk a minute
_SECONDS = 300
#: nvidia-smi waits for a driver that is being loaded
_DRIVER_SECONDS = 60


@dataclass(frozen=True)
class Gpu:
    """A GPU as torch sees it."""

    name: str
    memory: int
    """Bytes."""


@dataclass(frozen=True)
class Torch:
    """The torch of a trainer's environment; ``cuda`` is the version that it was built with, None for the CPU's."""

    version: str
    cuda: str | None
    gpus: tuple[Gpu, ...]


def ask_torch(trainer: Installation) -> Torch:
    """Start the trainer's Python, import torch and look.

    Raises
    ------
    MachineNotReady
        When the environment has no torch that works.
    """
    try:
        done = subprocess.run(
            [str(trainer.python), str(_ASK)],
            env=scrubbed_environment({"PYTHONUTF8": "1"}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
            timeout=_SECONDS,
        )
        said = json.loads(done.stdout.splitlines()[-1])
        gpus = tuple(Gpu(str(name), int(memory)) for name, memory in said["gpus"])
        return Torch(str(said["version"]), said["cuda"], gpus)
    except (OSError, ValueError, LookupError, TypeError, subprocess.SubprocessError) as problem:
        said = getattr(problem, "stderr", None) or problem
        last = str(said).strip().rpartition("\n")[2]
        raise MachineNotReady(f"{trainer.python}: torch does not work there ({last})") from problem


def least_gpu_memory() -> int | None:
    """Give the bytes of the NVIDIA GPU that has least, without starting the trainer; None where there is none."""
    if not (program := shutil.which("nvidia-smi")):
        return None
    words = [program, "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(words, capture_output=True, text=True, timeout=_DRIVER_SECONDS, check=True).stdout
        return min(int(line) for line in told.splitlines()) * 2**20
    except (OSError, ValueError, subprocess.SubprocessError):
        return None  # a driver that is not there, or a GPU that does not tell
