"""Execute a plan: what is in the store is reused, the rest is made, proven and kept. Yields events."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lorarecipe import signals
from lorarecipe.errors import CheckFailed, Interrupted, LorarecipeError, MachineNotReady, TrainingFailed
from lorarecipe.events import (
    Delivered,
    Event,
    Failed,
    Finished,
    Gated,
    Measured,
    Paused,
    Reused,
    Started,
    Unpicked,
    Waiting,
)
from lorarecipe.files import canonical_json, file_digest, read_json, write_atomic
from lorarecipe.plan import DataStage, Delivery, MergeStage, PickStage, Plan, SampleStage, Stage, TrainStage
from lorarecipe.run.advice import advised
from lorarecipe.run.deliver import REPORT, deliver, refuse_what_is_not_ours
from lorarecipe.run.gate import gate_in, gate_table, write_gate
from lorarecipe.run.inputs import changed_inputs
from lorarecipe.run.leak import LEAK, leak_record, leak_table
from lorarecipe.run.passport import PASSPORT, passport
from lorarecipe.run.pictures import CANDIDATES, deliver_candidates
from lorarecipe.run.room import require_room, require_writable
from lorarecipe.run.sampling import sample
from lorarecipe.run.training import TrainingPaused, train
from lorarecipe.store import CHANGED, Store
from lorarecipe.trainer import (
    Place,
    command_of,
    merge_base,
    prove_lora,
    prove_merge,
    prove_samples,
    stage_images,
    stage_picks,
    try_optimizers,
    whole_pictures,
)
from lorarecipe.trainer.commands import LORA, lora_of, merged_of
from lorarecipe.trainer.process import log_of
from lorarecipe.trainer.states import last_state

#: beside a finished stage's files: the command that made it, its seconds, its proof
MADE = "made.json"


def execute(plan: Plan, place: Place, store: Store, out: Path) -> Generator[Event, None, None]:
    """Run a plan from its first missing stage on, and put the results into ``out``.

    Raises
    ------
    MachineNotReady
        Before anything starts, when the trainer lacks something that a missing stage needs, or the disk is full.
    TrainingFailed
        When a stage ends badly or its result does not prove good; finished stages are kept.
    Interrupted
        When a signal has paused a training.
    CheckFailed
        Before anything starts, when the trainer refuses the arguments of an optimizer. At the end, when a checkpoint
        or a base changed while a stage was made from it.
    """
    for delivery in plan.deliveries:
        require_writable(out / delivery.name)
        refuse_what_is_not_ours(delivery, out)
    missing = [stage for stage in plan.stages if not store.find(stage.short)]
    for family in {stage.model.family for stage in missing if not isinstance(stage, DataStage)}:
        place.require(family)
    for stage in missing:
        if not isinstance(stage, DataStage) and not stage.model.path.exists():
            raise MachineNotReady(f"{stage.model.path}: no such checkpoint; it is needed to train")
    require_room(plan, missing, store, out)
    trainings = {plan.title(stage): stage for stage in missing if isinstance(stage, TrainStage)}
    try_optimizers(trainings, place, store)
    changed: dict[str, tuple[str, ...]] = {}
    for stage in plan.stages:
        yield from _one(stage, plan.title(stage), place, store, changed)
        if signum := signals.asked():  # it came too late to pause the training
            raise Interrupted(signum)
        yield from _gated(stage, plan, store)
    for delivery in plan.deliveries:
        yield from _delivered(delivery, store, out)
    if changed:
        files = ", ".join(sorted({file for told in changed.values() for file in told}))
        raise CheckFailed(f"{files}: changed while it was used; the result is kept, and made anew by the same command")


def _gated(stage: Stage, plan: Plan, store: Store) -> Iterator[Event]:
    """Tell what a base showed; a target is not trained on one that fails, where a recipe says so."""
    if not isinstance(stage, SampleStage) or not stage.yardstick:
        return
    recipes = [one.recipe for one in plan.deliveries if stage.key in {gate.key for gate in one.gate}]
    told = gate_in(stage, store)
    yield Gated(stage.key, recipes[0].base_name, told["of"], told["verdict"], gate_table(told))
    if told["verdict"] == "fail" and any(recipe.base.gate.mode == "stop" for recipe in recipes):
        raise TrainingFailed(
            f"base {recipes[0].base_name}: it fails its gate, and [base.gate] mode is stop; no target was trained\n"
            f"Its pictures are in {store.path(stage.short)}"
        )


def _delivered(delivery: Delivery, store: Store, out: Path) -> Iterator[Event]:
    """Put a result in place, with what was measured of it; what is measured already is not measured again."""
    if delivery.candidates:
        path = out / delivery.name / CANDIDATES
        yield Delivered(delivery.name, str(path), deliver_candidates(delivery.candidates, delivery, store, path))
    if not delivery.picked:
        yield Unpicked(delivery.name, str(out / delivery.name / REPORT))
        return
    for path, digest in deliver(delivery, store, out):
        yield Delivered(delivery.name, str(path), digest)
    if delivery.gate:
        path = out / delivery.name / PASSPORT
        write_atomic(path, json.dumps(passport(delivery, store), indent=2) + "\n")
        yield Delivered(delivery.name, str(path), file_digest(path))
    if delivery.arms:
        path = out / delivery.name / LEAK
        told = leak_record(delivery, store, path)
        write_atomic(path, json.dumps(told, indent=2) + "\n")
        yield Delivered(delivery.name, str(path), file_digest(path))
        yield Measured(delivery.name, leak_table(told), advised(told["advice"]))


def _one(stage: Stage, title: str, place: Place, store: Store, changed: dict[str, tuple[str, ...]]) -> Iterator[Event]:
    """Reuse a stage or make it; ``changed`` has, by key, what it and those before it were made from and is no more."""
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
        attempt = store.attempt(stage.short)
        state = last_state(attempt) if isinstance(stage, TrainStage) else None
        drawn = whole_pictures(attempt, stage) if isinstance(stage, SampleStage) else frozenset[str]()
        folder = store.begin(stage.short, stage.identity(), state.kept if state else drawn)
        command = command_of(stage, place, store, state, drawn)
        log = str(log_of(folder)) if command else None
        after = str(state) if state else f"{len(drawn)} pictures" if drawn else ""
        why = f"{stage.why}; goes on after {after}" if after else stage.why
        yield Started(**about, why=why, command=command.argv if command else (), log=log)
        start = time.monotonic()
        try:
            if isinstance(stage, PickStage):
                stage_picks(stage, store.path(stage.drawn.short), folder)
            elif isinstance(stage, DataStage):
                stage_images(stage, folder)
            elif command and isinstance(stage, TrainStage):
                yield from train(stage, title, place.engine, command, folder, state)
            elif command and isinstance(stage, SampleStage):
                yield from sample(stage, command, folder)
            elif isinstance(stage, MergeStage):
                merge_base(stage, lora_of(stage.base, store), merged_of(stage, folder))
            if isinstance(stage, SampleStage) and stage.yardstick:
                prove_samples(folder, stage)
                write_gate(stage, folder, store)
            with ThreadPoolExecutor(1) as disk:  # it writes gigabytes while the numbers are read
                sealing = disk.submit(store.seal, stage.short)
                proof = _prove(stage, folder, store)
                sealed = sealing.result()
            seconds = round(time.monotonic() - start, 2)
            made = {"command": list(command.argv) if command else [], "seconds": seconds, "proof": proof}
            write_atomic(folder / MADE, canonical_json(made))
            if unlike := changed_inputs(stage, changed):
                changed[stage.key] = unlike
                write_atomic(folder / CHANGED, canonical_json(unlike))
            store.keep(stage.short, sealed)
        except TrainingPaused as pause:
            yield Paused(**about, step=pause.step, steps=pause.steps)
            raise pause.cause from None
        except (LorarecipeError, OSError) as problem:
            yield Failed(**about, message=str(problem), log=log)
            raise
        except Exception as bug:
            yield Failed(**about, message=f"a bug of lorarecipe: {type(bug).__name__}: {bug}", log=log)
            raise
        yield Finished(**about, seconds=seconds, proof=proof, changed=unlike)


def _made(folder: Path) -> dict[str, Any]:
    try:
        made = read_json(folder / MADE)
    except (OSError, ValueError):
        made = None
    return made if isinstance(made, dict) else {}


def _prove(stage: Stage, folder: Path, store: Store) -> dict[str, Any]:
    if isinstance(stage, DataStage):
        return {"images": sum(len(group) for group in stage.groups)}
    if isinstance(stage, TrainStage):
        return prove_lora(folder / LORA, stage)
    if isinstance(stage, SampleStage):
        return prove_samples(folder, stage)
    return prove_merge(merged_of(stage, folder), lora_of(stage.base, store), stage)
