"""How many stages are made side by side on this machine, and on which GPUs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from lorarecipe.errors import MachineNotReady, count
from lorarecipe.plan import Plan, is_on_gpu
from lorarecipe.run.workers import Here
from lorarecipe.store import Store
from lorarecipe.trainer import Installation
from lorarecipe.trainer.environment import given_gpus
from lorarecipe.trainer.gpus import ask_torch

#: seconds that nvidia-smi may take: it waits for a driver that is being loaded
_SECONDS = 60


def workers_of(
    plan: Plan, trainer: Installation, store: Store, jobs: int | None = None, devices: Sequence[int] | None = None
) -> list[Here]:
    """Give this machine's workers for a plan: each makes one stage at a time, and has GPUs of its own.

    Parameters
    ----------
    plan
        What is to be made; a worker has as many GPUs as the largest of its trainings has processes.
    trainer
        What trains.
    store
        Where results are kept.
    jobs
        How many workers; left out, as many as there are GPUs for, and one where there is none.
    devices
        GPUs to use, by their numbers among those that are visible; left out, all.

    Raises
    ------
    MachineNotReady
        When there are too few GPUs for a training or for so many workers, or a recipe names one that no worker has.
    """
    stages = [stage for stage in plan.stages if is_on_gpu(stage) and not store.find(stage.short)]
    named = devices is not None
    visible = _visible(trainer, surely=named or (jobs or 1) > 1) if named or stages else 0
    if devices is None:
        if not visible:  # on the CPU, or on a GPU that is not counted
            return [Here(trainer, store)] * (jobs or 1)
        devices = range(visible)
    elif wrong := [number for number in devices if number >= visible]:
        raise MachineNotReady(f"found --devices {wrong[0]}, and {count(visible, 'GPU')} that are counted from 0")
    most = max((stage.processes for stage in stages), default=1)
    if most > len(devices):
        gpus = count(len(devices), "GPU")
        found = f"found {gpus} in --devices" if named else f"found {gpus} on this machine"
        raise MachineNotReady(f"{found}, and processes = {most} in [trainer]")
    if jobs == 1 and not named:  # any of them, where a recipe names it
        return [Here(trainer, store, tuple(devices))]
    workers = [Here(trainer, store, tuple(devices[at : at + most])) for at in range(0, len(devices), most)]
    if jobs and jobs > len(workers):
        found = f"found --jobs {jobs}, and {count(len(devices), 'GPU')} with {most} for each training"
        raise MachineNotReady(f"{found}; expected --jobs {len(workers)} at the most, as no two trainings share a GPU")
    workers = workers[:jobs]
    for stage in stages:
        if not any(worker.takes(stage) for worker in workers):
            numbers = ", ".join(str(number) for worker in workers for number in worker.devices)
            found = f'found device = "{stage.device}" in [trainer], and this run uses the GPUs {numbers}'
            raise MachineNotReady(f'{found}; name the GPU in --devices, or write "auto" into the recipe')
    return workers


def _visible(trainer: Installation, *, surely: bool) -> int:
    """Count the GPUs that a trainer can see; of another maker's than NVIDIA only ``surely``, which takes seconds."""
    if "CUDA_VISIBLE_DEVICES" in os.environ:
        return len([name for name in given_gpus() if name != "-1"])
    if program := shutil.which("nvidia-smi"):
        try:
            told = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=_SECONDS, check=True).stdout
            return sum(line.startswith("GPU ") for line in told.splitlines())
        except (OSError, ValueError, subprocess.SubprocessError):
            pass  # a driver that is not there
    return len(ask_torch(trainer).gpus) if surely else 0
