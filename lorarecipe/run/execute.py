"""Execute a plan: what is in the store is reused, the rest is made, proven and kept. Yields events."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lorarecipe.errors import LorarecipeError, MachineNotReady, TrainingFailed
from lorarecipe.events import Delivered, Event, Failed, Finished, Reused, Started, Waiting
from lorarecipe.files import canonical_json, write_atomic
from lorarecipe.plan import DataStage, MergeStage, Plan, SampleStage, Stage, TrainStage
from lorarecipe.run.deliver import deliver, refuse_what_is_not_ours
from lorarecipe.store import Store
from lorarecipe.trainer import (
    Place,
    command_of,
    launch,
    prove_lora,
    prove_merge,
    prove_samples,
    read_progress,
    stage_images,
)
from lorarecipe.trainer.commands import LORA, Command, lora_of, merged_of
from lorarecipe.trainer.process import log_of
from lorarecipe.trainer.states import State, clear_states, last_state, seal_states, unseal
from lorarecipe.weights import Folder

#: beside a finished stage's files: the command that made it, its seconds, its proof
MADE = "made.json"
#: bytes that images, LoRAs and logs of a run may take
_SPARE = 500_000_000


def execute(plan: Plan, place: Place, store: Store, out: Path) -> Generator[Event, None, None]:
    """Run a plan from its first missing stage on, and put the results into ``out``.

    Raises
    ------
    MachineNotReady
        Before anything starts, when the trainer lacks something that a missing stage needs, or the disk is full.
    TrainingFailed
        When a stage ends badly or its result does not prove good; finished stages are kept.
    """
    for delivery in plan.deliveries:
        refuse_what_is_not_ours(delivery, out)
    missing = [stage for stage in plan.stages if not store.find(stage.short)]
    for family in {stage.model.family for stage in missing if not isinstance(stage, DataStage)}:
        place.require(family)
    for stage in missing:
        if not isinstance(stage, DataStage) and not stage.model.path.exists():
            raise MachineNotReady(f"{stage.model.path}: no such checkpoint; it is needed to train")
    _require_room(missing, store)
    for stage in plan.stages:
        yield from _one(stage, plan.title(stage), place, store)
    for delivery in plan.deliveries:
        for path, digest in deliver(delivery, store, out):
            yield Delivered(delivery.name, str(path), digest)


def _require_room(missing: list[Stage], store: Store) -> None:
    """Look whether the disk can take the merged checkpoints, each as large as the one it is made from."""
    sizes = [_size(stage.model.path) for stage in missing if isinstance(stage, MergeStage)]
    need, folder = sum(sizes) + (_SPARE if missing else 0), store.root
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < need:
        told = f"{store.root}: {free / 1e9:.1f} GB free, expected {need / 1e9:.1f}"
        raise MachineNotReady(f"{told}; make room, or set LORARECIPE_HOME to another disk")


def _size(checkpoint: Path) -> int:
    files = Folder(checkpoint).files if checkpoint.is_dir() else (checkpoint,)
    return sum(file.stat().st_size for file in files)


def _one(stage: Stage, title: str, place: Place, store: Store) -> Iterator[Event]:
    about = {"key": stage.key, "title": title, "kind": stage.kind}
    if folder := store.find(stage.short):
        yield Reused(**about, made=_made(folder))
        return
    with ExitStack() as held:
        if not held.enter_context(store.lock(stage.short, wait=False)):
            yield Waiting(**about)
            held.enter_context(store.lock(stage.short, wait=True))
        if folder := store.find(stage.short):  # made by another, while this one waited
            yield Reused(**about, made=_made(folder))
            return
        state = last_state(store.attempt(stage.short)) if isinstance(stage, TrainStage) else None
        folder = store.begin(stage.short, stage.identity(), state.kept if state else frozenset())
        command = command_of(stage, place, store, state)
        log = str(log_of(folder)) if command else None
        why = f"{stage.why}; goes on after epoch {state.epoch}" if state else stage.why
        yield Started(**about, why=why, command=command.argv if command else (), log=log)
        start = time.monotonic()
        try:
            if isinstance(stage, DataStage):
                stage_images(stage, folder)
            elif command and isinstance(stage, TrainStage):
                yield from _train(stage, command, folder, state)
            elif command:
                for _ in launch(command):
                    pass
            with ThreadPoolExecutor(1) as disk:  # it writes gigabytes while the numbers are read
                sealing = disk.submit(store.seal, stage.short)
                proof = _prove(stage, folder, store)
                sealed = sealing.result()
            seconds = round(time.monotonic() - start, 2)
            made = {"command": list(command.argv) if command else [], "seconds": seconds, "proof": proof}
            write_atomic(folder / MADE, canonical_json(made))
            store.keep(stage.short, sealed)
        except (LorarecipeError, OSError) as problem:
            yield Failed(**about, message=str(problem), log=log)
            raise
        yield Finished(**about, seconds=seconds, proof=proof)


def _train(stage: TrainStage, command: Command, folder: Path, state: State | None) -> Iterator[Event]:
    """Train, sealing states on the way; one that takes no further step is not resumed from again."""
    stepped = False
    try:
        for progress in read_progress(stage.key, launch(command)):
            seal_states(folder, progress.epoch)
            stepped = stepped or progress.step > 0
            yield progress
    except TrainingFailed:
        if state and not stepped:
            unseal(state)
        raise
    clear_states(folder, stage)


def _made(folder: Path) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((folder / MADE).read_text("utf-8"))
    return made


def _prove(stage: Stage, folder: Path, store: Store) -> dict[str, Any]:
    if isinstance(stage, DataStage):
        return {"images": sum(len(group) for group in stage.groups)}
    if isinstance(stage, TrainStage):
        return prove_lora(folder / LORA, stage)
    if isinstance(stage, SampleStage):
        return prove_samples(folder, stage)
    return prove_merge(merged_of(stage, folder), lora_of(stage.base, store), stage)
