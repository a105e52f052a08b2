"""sd-scripts with a U-Net a tenth as wide, and checkpoints of random weights for it."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock

from lorarecipe.trainer import Installation

_INSIDE = Path(__file__).parent / "inside"


@dataclass(frozen=True)
class Narrow:
    """The trainer whose models are narrow; ``root`` is a folder that all test processes share."""

    trainer: Installation
    root: Path

    @classmethod
    def of(cls, trainer: Installation, root: Path) -> Narrow:
        """Have sd-scripts build narrow models."""
        root.mkdir(exist_ok=True)
        python = root / "python"
        with FileLock(root / "lock"):
            python.write_text(f'#!/bin/sh\nPYTHONPATH="{_INSIDE / "nano"}:$PYTHONPATH" exec "{trainer.python}" "$@"\n')
            python.chmod(0o755)
        return cls(replace(trainer, python=python), root)

    def checkpoint(self, family: str) -> Path:
        """Give a checkpoint, made once for all test processes (2 GB for SDXL, with text encoders of full size)."""
        path = self.root / f"{family}.safetensors"
        with FileLock(self.root / "lock"):
            if not path.exists():
                draft = self.root / f"draft-{path.name}"
                words = (self.trainer.python, _INSIDE / "random_checkpoint.py", self.trainer.checkout, family, draft)
                env = os.environ | {"PYTHONPATH": str(self.trainer.checkout)}
                subprocess.run([*map(str, words)], check=True, env=env)
                draft.rename(path)
        return path
