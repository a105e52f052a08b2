"""TensorBoard logs of trainings: where they are, and the curves in them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lorarecipe.trainer.installed import Installation
from lorarecipe.trainer.process import scrubbed_environment
from lorarecipe.trainer.states import LOGS

_READER = Path(__file__).parent / "inside" / "curves.py"
_SECONDS = 120


def logged_curves(
    trainer: Installation, folders: Mapping[str, Path]
) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Read what trainings have logged so far, by any name of theirs: steps and values, by the trainer's tags.

    Read in the trainer's environment; where that has no TensorBoard, or a log is torn, there are none.
    """
    logs = {name: str(folder / LOGS) for name, folder in folders.items() if (folder / LOGS).is_dir()}
    if not logs:
        return {}
    try:
        done = subprocess.run(
            [str(trainer.python), str(_READER)],
            input=json.dumps(logs),
            env=scrubbed_environment({"CUDA_VISIBLE_DEVICES": "", "PYTHONUTF8": "1"}),
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS,
        )
        curves: dict[str, dict[str, list[tuple[float, float]]]] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return {}
    return curves
