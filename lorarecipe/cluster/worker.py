"""The driver's side: a worker that has each stage made by a task of Ray's, and gives its events."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from lorarecipe import __version__, signals
from lorarecipe.cluster import task
from lorarecipe.errors import Interrupted, LorarecipeError, MachineNotReady, TrainingFailed
from lorarecipe.events import Event, Failed
from lorarecipe.files import home
from lorarecipe.plan import Stage, TrainStage, is_on_gpu
from lorarecipe.run.workers import Changed
from lorarecipe.store import Store

#: how often a stage is begun again after its process or its machine was lost
_AGAIN = 3
#: seconds between two looks for a signal, and until a shared folder shows on one machine what another has written
_LOOK, _SHOWN = 0.2, 60.0


class _WorkerGone(Exception):
    """The process or the machine that made a stage is gone."""


@dataclass(frozen=True)
class OnCluster:
    """A worker on any machine of the cluster that this process is connected to.

    Ray is given a stage once all that it needs is finished: which stage comes next is decided where results fail and
    gates stop a run. A stage whose process is lost is begun again by this class: Ray's own retries expect of a task
    that it says the same again, and a training that goes on from its state does not.
    """

    store: Store
    engine: str
    run: str

    def require(self, stages: Sequence[Stage], titles: Mapping[str, str]) -> None:
        """Look whether every machine of the cluster has this lorarecipe, the same store, and what the stages need."""
        named = [stage.device for stage in stages if is_on_gpu(stage) and stage.device.startswith("cuda:")]
        if named:
            raise MachineNotReady(
                f'found device = "{named[0]}" in [trainer]; with --ray, write "auto": Ray gives the GPU'
            )
        mark = home() / self.run
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
        try:
            faults = [fault for node, found in _on_all(task.facts, mark.name) for fault in _unlike(node, found)]
        finally:
            mark.unlink()
        if faults:
            raise MachineNotReady("\n".join(faults))
        most = max((_gpus(stage) for stage in stages), default=0)
        if most > (largest := max((int(node["Resources"].get("GPU", 0)) for node in _nodes()), default=0)):
            raise MachineNotReady(
                f"found {largest} GPUs on the largest machine of the cluster, and a stage needs {most}"
            )
        problems = [found for _, found in _on_all(task.requirements, self.engine, [*stages], {**titles}) if found]
        for found in problems:
            raise found.error() if isinstance(found, task.Problem) else MachineNotReady(str(found))

    def takes(self, stage: Stage) -> bool:  # noqa: ARG002 - a worker's signature
        """Take all: Ray finds the machine."""
        return True

    def submit(self, stage: Stage, title: str, changed: Changed) -> Generator[Event, None, None]:
        """Have a stage made; it is begun again when its process or its machine is lost, and on no other failure."""
        lost = 0
        while True:
            try:
                # a signal has a training pause; all else is ended by it
                with signals.hold() if isinstance(stage, TrainStage) else nullcontext():
                    yield from self._made(stage, title, changed)
                break
            except _WorkerGone as loss:
                lost += 1
                message = f"the process or the machine that made this stage was lost: {loss}"
                yield Failed(stage.key, title, stage.kind, message, None)
                if lost > _AGAIN:
                    raise TrainingFailed(f"{title}: {message}") from None
        deadline = time.monotonic() + _SHOWN
        while not (self.store.root / stage.short).is_dir():
            if time.monotonic() > deadline:
                found = f"{title}: made by a machine of the cluster, and not found in {self.store.root}"
                raise MachineNotReady(f"{found}; set LORARECIPE_HOME to the same shared folder on all machines")
            time.sleep(_LOOK)

    def _made(self, stage: Stage, title: str, changed: Changed) -> Generator[Event, None, None]:
        import ray

        remote = ray.remote(task.make).options(
            num_returns="streaming", max_retries=0, retry_exceptions=False, num_cpus=1, num_gpus=_gpus(stage)
        )
        making = remote.remote(self.engine, stage, title, {**changed}, self.run)
        said = False
        try:
            while True:
                ready, _ = ray.wait([making], timeout=_LOOK)
                if signum := signals.asked():
                    if not said:
                        raise Interrupted(signum)
                    self._ask_to_pause()
                if not ready:
                    continue
                event = _next(making)
                if event is None:
                    making = None
                    return
                said = True
                if isinstance(event, task.Problem):
                    raise _error(event)
                yield event
        finally:
            if making is not None:
                ray.cancel(making, force=True)

    def _ask_to_pause(self) -> None:
        from ray.experimental.internal_kv import _internal_kv_put

        _internal_kv_put(self.run, b"stop")


def _next(making: Any) -> Event | task.Problem | None:  # noqa: ANN401 - a generator of Ray's
    """Give what a task says next, or None at its end."""
    import ray
    from ray import exceptions

    try:
        said: Event | task.Problem = ray.get(next(making))
    except StopIteration:
        return None
    except exceptions.RayTaskError:
        if signum := signals.asked():  # it was interrupted in Ray's own code
            raise Interrupted(signum) from None
        raise
    except (
        exceptions.WorkerCrashedError,
        exceptions.NodeDiedError,
        exceptions.LocalRayletDiedError,
        exceptions.ObjectLostError,
        exceptions.OutOfMemoryError,
    ) as loss:
        raise _WorkerGone(type(loss).__name__) from None
    return said


def _error(problem: task.Problem) -> LorarecipeError:
    signum = signals.asked()
    return Interrupted(signum) if signum and task.interrupted(problem.code) else problem.error()


def _gpus(stage: Stage) -> int:
    """Count the GPUs that a stage needs; on a cluster without any, all is computed on the CPU."""
    import ray

    return stage.processes if is_on_gpu(stage) and ray.cluster_resources().get("GPU") else 0


def _nodes() -> list[dict[str, Any]]:
    """Give the machines of the cluster that make stages."""
    import ray

    return [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]


def _on_all(function: Any, *words: object) -> list[tuple[str, Any]]:  # noqa: ANN401 - what Ray gives
    """Call a function on every machine, and give what each says by its address: an error is said, not raised."""
    import ray
    from ray.exceptions import NodeDiedError, RayError, TaskUnschedulableError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = []
    for node in _nodes():
        there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        remote = ray.remote(function).options(num_cpus=0, max_retries=0, scheduling_strategy=there)
        asked.append((node["NodeManagerAddress"], remote.remote(*words)))
    answers = []
    for node, answer in asked:
        try:
            answers.append((node, ray.get(answer)))
        except (NodeDiedError, TaskUnschedulableError):  # it has left, and Ray has just noticed
            continue
        except RayError as problem:
            answers.append((node, str(problem).strip().splitlines()[-1]))
    if not answers:
        raise MachineNotReady("no machine of the Ray cluster has a CPU for stages; start one with ray start")
    return answers


def _unlike(node: str, found: task.Facts | str) -> list[str]:
    """Say what a machine has that is not as here."""
    if not isinstance(found, task.Facts):
        return [
            f"{node}: lorarecipe cannot be used there: {found}; install lorarecipe {__version__} in Ray's environment"
        ]
    if found.version != __version__:
        return [f"{node}: found lorarecipe {found.version}, expected {__version__} as here; install the same release"]
    if not found.shares:
        there = f"{node}: LORARECIPE_HOME is {found.home} there, and does not show what is written into {home()} here"
        return [f"{there}; set both to the same shared folder before Ray is started"]
    return []
