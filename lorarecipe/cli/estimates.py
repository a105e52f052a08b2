"""Estimates of a run, as lines and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lorarecipe.errors import clock, count, data_size

if TYPE_CHECKING:
    from lorarecipe.plan import Plan
    from lorarecipe.run.forecast import Forecast
    from lorarecipe.run.pulls import Pulls
    from lorarecipe.store import Store


def estimate(plan: Plan, store: Store, pulls: Pulls, speed: float | None, jobs: int, gpu: float | None) -> Forecast:
    """Estimate what a run of a plan will take, with the user's own ledger; ``gpu`` is in gigabytes."""
    from pathlib import Path

    from lorarecipe.files import home
    from lorarecipe.plan import TrainStage
    from lorarecipe.run.forecast import forecast
    from lorarecipe.trainer.gpus import least_gpu_memory

    memory = round(gpu * 1e9) if gpu else None
    on_gpu = [stage for stage in plan.stages if isinstance(stage, TrainStage) and stage.device != "cpu"]
    if not memory and any(not store.find(stage.short) for stage in pulls.to_make(on_gpu)):
        memory = least_gpu_memory()
    return forecast(plan, store, home() / "runs", Path("out"), speed=speed, jobs=jobs, gpu=memory, pulls=pulls)


def lines_of(found: Forecast, plan: Plan, jobs: int) -> Iterator[str]:
    """Say the estimates; nothing where nothing is to be made."""
    if not any(room.need for room in found.rooms):
        return
    yield "estimates (what they rest on: lorarecipe help scale)"
    yield from _time_lines(found, plan, jobs)
    made, results = found.rooms
    if made.need == results.need:
        yield f"disk: {data_size(made.need)} for the store and the results"
    else:
        yield f"disk: {data_size(made.need)} for the store, {data_size(results.need)} for the results"
    alike: dict[str, list[str]] = {}
    for key, memory in found.memories.items():
        alike.setdefault(str(memory), []).append(plan.titles[key])
    for need, (first, *more) in alike.items():
        what = f"{first} and {len(more)} more" if more else first
        yield f"memory of {what}: {need}"
    for warning in found.warnings:
        yield f"warning: {warning}"


def _time_lines(found: Forecast, plan: Plan, jobs: int) -> Iterator[str]:
    if found.timings:
        stages = count(len(found.timings), "stage")
        side = f", {jobs} side by side" if jobs > 1 else ""
        yield f"time: about {clock(found.seconds)} for {stages}{side}"
        for key, timing in found.timings.items():
            title, seconds = plan.titles[key], clock(timing.seconds)
            yield f"  {title}: about {seconds}, {timing.basis}"
    trainings = sum(stage.kind == "train" for stage in found.untimed)
    if trainings:
        what = count(trainings, "training")
        yield f"  no time for {what}: none like it was made on this machine; give --speed STEPS_A_SECOND"
    if others := len(found.untimed) - trainings:
        what = count(others, "other stage")
        yield f"  no time for {what}: none like it was made on this machine"


def facts_of(found: Forecast, plan: Plan) -> dict[str, object]:
    """Give the estimates as JSON: seconds and bytes."""
    return {
        "seconds": found.seconds if found.timings else None,
        "times": [
            {"name": stage.short, "seconds": timing.seconds, "basis": timing.basis}
            for stage in plan.stages
            if (timing := found.timings.get(stage.key))
        ],
        "untimed": [stage.short for stage in found.untimed],
        "memory": [
            {
                "name": stage.short,
                "least": memory.least,
                "most": memory.most,
                "weights": memory.weights,
                "trained": memory.trained,
                "activations": memory.activations,
            }
            for stage in plan.stages
            if (memory := found.memories.get(stage.key))
        ],
        "disk": [{"path": str(room.path), "free": room.free, "needed": room.need} for room in found.rooms],
        "warnings": [*found.warnings],
    }
