"""What a stage's process is given of the machine: threads, GPUs, and variables of its environment."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Sequence
from pathlib import Path

from lorarecipe.errors import MachineNotReady, count
from lorarecipe.files import size_of
from lorarecipe.plan import SampleStage, TrainStage

#: bytes of a checkpoint below which a second thread gains a third of the time at the most
_SMALL = 100_000_000


def cores() -> int:
    """Count the cores that we may use: of a container's or a scheduler's machine they are a part."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads(checkpoint: Path) -> int | None:
    """Give the threads that a small checkpoint is computed with: one, so that a result is the same on any machine.

    On two idle cores a second thread makes a step 1.07 times as fast at the demo's size (15 MB), 1.28 times at 59 MB,
    1.58 times at 234 MB (``python -m tests.bench.threads``); beside other work it makes it much slower, as the threads
    wait for each other. A larger checkpoint is left to the machine: None. It is the same however many trainings go on
    side by side: at the demo's size, a second thread changes two of three tensors of a LoRA (by 1e-6 at the most).
    """
    return 1 if 0 < size_of(checkpoint) < _SMALL else None


def free_port(folder: Path) -> int:
    """Give a port at which the processes of a training meet: trainings that go on side by side need one each.

    It is chosen by the training's folder, so that two that begin at the same time look at different ones. It lies below
    those that an operating system gives away by itself. (With 0 for any free port, accelerate 1.6 hangs.)
    """
    first = int(hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:8], 16)
    ports = [20_000 + (first + further) % 10_000 for further in range(100)]
    return next((port for port in ports if _is_free(port)), ports[0])


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("", port))
        except OSError:
            return False
    return True


def environment_of(stage: TrainStage | SampleStage) -> dict[str, str]:
    """Give the variables that are set over what a process is given of our own environment."""
    device = stage.device
    env = {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "COLUMNS": "400",
    }
    if count_of_threads := threads(stage.model.main.path):
        env |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(count_of_threads))
    if device == "cpu":
        env["CUDA_VISIBLE_DEVICES"] = ""
    elif device.startswith("cuda:"):
        env |= only_gpus([int(device.removeprefix("cuda:"))])
    return env


def only_gpus(numbers: Sequence[int]) -> dict[str, str]:
    """Give the variable that lets a process see these GPUs alone.

    Raises
    ------
    MachineNotReady
        When there are not so many.
    """
    return {"CUDA_VISIBLE_DEVICES": ",".join(map(gpu_name, numbers))}


def given_gpus() -> list[str]:
    """Name the GPUs that a scheduler, or the author, has given to this process; none where nobody has said so."""
    return [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]


def gpu_name(number: int) -> str:
    """Name a GPU to CUDA: of those that were given to this process, where some were.

    Raises
    ------
    MachineNotReady
        When there are not so many.
    """
    if not (given := given_gpus()):
        return str(number)
    if number >= len(given):
        found = f"CUDA_VISIBLE_DEVICES={','.join(given)}, which gives this process {count(len(given), 'GPU')}"
        raise MachineNotReady(f'found {found}, and device = "cuda:{number}" in [trainer]; write "cuda:0", or "auto"')
    return given[number]
