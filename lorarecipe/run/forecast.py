"""What is still to be made of a plan will take: time, disk and memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.errors import data_size
from lorarecipe.estimates import TIMED, Memory, Timing, memory_of, savings_of, shortest, times_of
from lorarecipe.plan import Plan, Stage, TrainStage
from lorarecipe.run.earlier import past_stages
from lorarecipe.run.pulls import Pulls
from lorarecipe.run.room import Room, rooms
from lorarecipe.store import Store


@dataclass(frozen=True)
class Forecast:
    """Estimates of the stages that are still to be made."""

    timings: Mapping[str, Timing]
    """By the stages' keys."""
    untimed: Sequence[Stage]
    """Trainings, merges and samples of which no time is known."""
    seconds: float
    """Of all that are timed."""
    memories: Mapping[str, Memory]
    """Of the trainings, by their keys."""
    rooms: Sequence[Room]
    """The disk of the store, and that of the results."""
    warnings: Sequence[str]
    """What will not fit, and which settings mend it."""


def forecast(
    plan: Plan,
    store: Store,
    runs: Path,
    out: Path,
    *,
    speed: float | None,
    jobs: int,
    gpu: int | None,
    pulls: Pulls,
) -> Forecast:
    """Estimate what a run will take.

    Parameters
    ----------
    plan
        What to do.
    store, runs, out
        Where stages are kept, where the ledger is, and where results go.
    speed
        Steps a second of trainings, where they are known.
    jobs
        How many stages are made side by side.
    gpu
        Bytes of the memory of the GPU that trains, where they are known.
    pulls
        What comes from a shared store.
    """
    lacking = [stage for stage in plan.stages if not store.find(stage.short)]
    missing = pulls.to_make(lacking)
    found = times_of(missing, plan.engine, past_stages(runs), speed)
    timings = {stage.key: found[stage.key] for stage in missing if stage.key in found}
    alone = {key: timing.seconds for key, timing in timings.items()}
    memories = {stage.key: memory_of(stage) for stage in missing if isinstance(stage, TrainStage)}
    disks = rooms(plan, lacking, store, out, pulls.sizes)
    return Forecast(
        timings,
        [stage for stage in missing if isinstance(stage, TIMED) and stage.key not in timings],
        shortest([stage.key for stage in plan.stages], alone, plan.graph, jobs),
        memories,
        disks,
        [
            *([pulls.warning] if pulls.problem else []),
            *(room.lack for room in disks if room.lack),
            *(_too_large(plan, missing, memories, gpu) if gpu else ()),
        ],
    )


def _too_large(plan: Plan, missing: Sequence[Stage], memories: Mapping[str, Memory], gpu: int) -> Iterator[str]:
    for stage in missing:
        if not isinstance(stage, TrainStage) or stage.device == "cpu":
            continue
        memory = memories[stage.key]
        if (memory.most or memory.least) > gpu:
            title, settings = plan.title(stage), _mended(stage, gpu)
            if memory.least > gpu:
                yield f"{title} will not fit into {data_size(gpu)} of GPU memory; set {settings}"
            else:
                yield f"{title} may not fit into {data_size(gpu)} of GPU memory; set {settings}"


def _mended(stage: TrainStage, gpu: int) -> str:
    """Name settings, each with the memory that is then needed, until the training fits; the last is the resolution."""
    words = []
    for saving in savings_of(stage):
        need = saving.memory.most or saving.memory.least
        words.append(f"{saving.setting} (then up to {data_size(need)})")
        if need <= gpu:
            return ", then ".join(words)
    return ", then ".join([*words, "a smaller resolution"])
