"""What it costs to make stages side by side, and what it gains, each within one run.

Usage: python -m tests.bench.scheduling [STEPS]

First 1,000 stages that do nothing, in layers of 100 of which each needs ten of the layer before it: in how many seconds
a plan's order is found, and how long `execute` takes for a stage, of a worker that writes nothing and of one that keeps
each in the store. Then the demo's two recipes with as many steps a training as is said (100 unless it is), with one
job and with two, in turns, and twice: what counts is the ratio of the shorter times, as other work on the machine makes
a time longer. On two cores that others use too, it says little. Then the same 1,000 stages on a Ray cluster of this
machine, of a worker that writes nothing: what Ray costs, in seconds and in the memory of all its processes.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from lorarecipe.cluster import on_cluster
from lorarecipe.events import Event, Finished
from lorarecipe.plan import Plan, Stage
from lorarecipe.plan.order import in_order
from lorarecipe.records import Proof
from lorarecipe.run import Here, execute
from lorarecipe.run.makers import MAKERS, Attempt, Start
from lorarecipe.run.workers import Changed
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, find_trainer

_STAGES, _LAYER, _NEEDS = 1000, 100, 10
_ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class NothingStage(Stage):
    """A stage that does nothing."""

    kind = "nothing"
    number: int
    needs: tuple[Stage, ...]

    @property
    def why(self) -> str:
        """Say what for."""
        return "it is timed"

    @property
    def inputs(self) -> tuple[Stage, ...]:
        """Some of the layer before it."""
        return self.needs

    def identity(self) -> dict[str, object]:
        """Give its number."""
        return {"number": self.number}


class _Nothing:
    """Makes it."""

    def prepare(self, stage: NothingStage, trainer: Installation, store: Store) -> Start:
        return Start()

    def make(self, stage: NothingStage, attempt: Attempt) -> Iterator[Event]:
        yield from ()

    def prove(self, stage: NothingStage, attempt: Attempt) -> Proof:
        return {}


@dataclass(frozen=True)
class _Idle:
    """A worker that keeps nothing: what is left is the cost of scheduling."""

    store: Store

    def require(self, stages: Sequence[Stage], titles: Mapping[str, str]) -> None:
        """Need nothing."""

    def takes(self, stage: Stage) -> bool:
        """Take all."""
        return True

    def submit(self, stage: Stage, title: str, changed: Changed) -> Generator[Event, None, None]:
        """Say that it is done."""
        yield Finished(stage.key, title, stage.kind, 0.0, {})


def cost(folder: Path) -> Plan:
    """Print what 1,000 stages cost, and give their plan."""
    stages: list[Stage] = []
    for number in range(_STAGES):
        before = stages[number // _LAYER * _LAYER - _LAYER :][:_LAYER] if number >= _LAYER else []
        stages.append(
            NothingStage(number, tuple(before[(number + at) % _LAYER] for at in range(_NEEDS if before else 0)))
        )
    start = time.perf_counter()
    ordered = in_order({stage.key: stage for stage in stages})
    print(f"the order of {_STAGES} stages: {time.perf_counter() - start:.2f} s")
    plan = Plan("embedded", ordered, {stage.key: str(at) for at, stage in enumerate(ordered)}, ())
    MAKERS["nothing"] = _Nothing()
    for jobs in (1, 2, 8):
        for name in ("that keeps nothing", "here"):
            store = Store(folder / f"{name} {jobs}")
            worker = _Idle(store) if name != "here" else Here(find_trainer("embedded"), store)
            start = time.perf_counter()
            finished = sum(isinstance(event, Finished) for event in execute(plan, [worker] * jobs, folder / "out"))
            assert finished == _STAGES
            taken = (time.perf_counter() - start) / _STAGES * 1000
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
            print(
                f"  {jobs} jobs, a worker {name}: {taken:.2f} ms a stage; at most {most:.0f} MB in memory", flush=True
            )
    return plan


def _said(stage: NothingStage, title: str) -> Iterator[Event]:
    yield Finished(stage.key, title, stage.kind, 0.0, {})


@dataclass(frozen=True)
class _IdleOnRay(_Idle):
    """A worker whose stages are tasks of Ray's that do nothing."""

    def submit(self, stage: Stage, title: str, changed: Changed) -> Generator[Event, None, None]:
        """Have it said by a task."""
        import ray

        for said in ray.remote(_said).options(num_returns="streaming", num_cpus=1).remote(stage, title):
            yield ray.get(said)


def cost_of_ray(folder: Path, plan: Plan) -> None:
    """Print what the same stages cost on Ray."""
    start = time.perf_counter()
    with on_cluster("local", plan, Store(folder / "ray"), 2):
        print(f"Ray: {time.perf_counter() - start:.1f} s to start")
        for jobs in (1, 2):
            start = time.perf_counter()
            worker = _IdleOnRay(Store(folder / f"ray {jobs}"))
            finished = sum(isinstance(event, Finished) for event in execute(plan, [worker] * jobs, folder / "out"))
            assert finished == _STAGES
            taken = (time.perf_counter() - start) / _STAGES * 1000
            own = psutil.Process()
            used = [process.memory_full_info().uss / 1e6 for process in (own, *own.children(recursive=True))]
            print(
                f"  {jobs} jobs, tasks of Ray's: {taken:.2f} ms a stage; {used[0]:.0f} MB in memory here,"
                f" {sum(used[1:]):.0f} MB in Ray's {len(used) - 1} processes",
                flush=True,
            )


def gain(folder: Path, steps: int) -> None:
    """Print how much faster the demo is with two jobs."""
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    words = [sys.executable, "-m", "lorarecipe"]
    subprocess.run([*words, "demo"], cwd=folder, env=environment, check=True, capture_output=True)
    recipes = ["demo.toml", "demo-auburn.toml"]
    for path in (folder / name for name in recipes):
        path.write_text(re.sub(r"steps = 1000", f"steps = {steps}", path.read_text("utf-8")), encoding="utf-8")
    seconds: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(2):
        for jobs, taken in seconds.items():
            home = {"LORARECIPE_HOME": str(folder / f"home-{turn}-{jobs}")}
            start = time.perf_counter()
            subprocess.run(
                [*words, "run", *recipes, "--jobs", str(jobs), "--out", f"out-{turn}-{jobs}"],
                cwd=folder,
                env=environment | home,
                check=True,
                capture_output=True,
            )
            taken.append(time.perf_counter() - start)
            print(f"demo with two targets, {steps} steps a training, {jobs} jobs: {taken[-1]:.0f} s", flush=True)
    print(f"two jobs take {min(seconds[2]) / min(seconds[1]):.2f} of the time of one")


def main(steps: str = "100") -> None:
    """Print both."""
    with tempfile.TemporaryDirectory() as name:
        cost_of_ray(Path(name), cost(Path(name)))
        gain(Path(name), int(steps))


if __name__ == "__main__":
    main(*sys.argv[1:])
