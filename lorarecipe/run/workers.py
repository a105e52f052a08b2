"""Workers: they make stages. One verb: submit a stage, and take the events of its making."""

from __future__ import annotations

import platform
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from lorarecipe import signals
from lorarecipe.errors import LorarecipeError, MachineNotReady
from lorarecipe.events import Event, Failed, Finished, Paused, Reused, Started, Waiting
from lorarecipe.files import canonical_json, digest_of, write_atomic
from lorarecipe.plan import SampleStage, Stage, TrainStage, is_on_gpu
from lorarecipe.records import Made, read_record, record_text
from lorarecipe.run.inputs import changed_inputs
from lorarecipe.run.makers import MAKERS, Attempt, StagePaused, Start
from lorarecipe.run.sittings import Sittings, sittings_in
from lorarecipe.store import CHANGED, Store
from lorarecipe.trainer import Installation, try_optimizers
from lorarecipe.trainer.environment import gpu_name, only_gpus
from lorarecipe.trainer.process import log_of

#: beside a finished stage's files: the command that made it, its seconds, its proof
MADE = "made.json"
#: input files that changed while a stage was made from them, by the stage's key
Changed = Mapping[str, tuple[str, ...]]


class Worker(Protocol):
    """Somebody who makes stages and puts them into a store."""

    @property
    def store(self) -> Store:
        """Where its results are found."""

    def require(self, stages: Sequence[Stage], titles: Mapping[str, str]) -> None:
        """Look, before anything starts, whether stages can be made; ``titles`` name them for people, by their keys.

        Raises
        ------
        MachineNotReady
            Naming all that is missing.
        CheckFailed
            When the trainer refuses the arguments of an optimizer.
        """

    def takes(self, stage: Stage) -> bool:
        """Tell whether it can make a stage: some are for one GPU alone."""

    def submit(self, stage: Stage, title: str, changed: Changed) -> Generator[Event, None, None]:
        """Make a stage, or find it made; ``changed`` is of the stages before it.

        Raises
        ------
        LorarecipeError
            Why it was not made.
        """


@dataclass(frozen=True)
class Here:
    """A worker on this machine, in this process.

    ``devices`` are its GPUs, which no other worker has, counted as ``[trainer] device`` counts them; without any, a
    stage has those that its recipe names.
    """

    trainer: Installation
    store: Store
    devices: tuple[int, ...] = ()

    def require(self, stages: Sequence[Stage], titles: Mapping[str, str]) -> None:
        """Look whether the trainer has what the stages need, and the author's files are there."""
        for family in {stage.family for stage in stages if stage.family}:
            self.trainer.require(family)
        trainings = [stage for stage in stages if isinstance(stage, TrainStage)]
        # a training on a merged checkpoint is proven against the original one
        merged = [stage.merged for stage in trainings if stage.merged]
        for source in (source for stage in [*stages, *merged] for source in stage.sources):
            if not source.path.exists() and not source.coming:
                raise MachineNotReady(f"{source.path}: this file is not there; this run needs it")
        try_optimizers({titles[stage.key]: stage for stage in trainings}, self.trainer, self.store)

    def takes(self, stage: Stage) -> bool:
        """Tell whether the worker has as many GPUs as a stage needs, and the one that its recipe names."""
        if not self.devices or not isinstance(stage, TrainStage | SampleStage):
            return True
        if stage.device.startswith("cuda:"):
            return stage.device in {f"cuda:{number}" for number in self.devices}
        return stage.device == "cpu" or stage.processes <= len(self.devices)

    def submit(self, stage: Stage, title: str, changed: Changed) -> Generator[Event, None, None]:
        """Reuse a stage, or make it while holding its lock."""
        about = {"key": stage.key, "title": title, "kind": stage.kind}
        if folder := self.store.find(stage.short):
            yield Reused(**about, made=_made(folder))
            return
        with ExitStack() as held:
            if not held.enter_context(self.store.lock(stage.short, wait=False)):
                yield Waiting(**about)
                held.enter_context(self.store.lock(stage.short, wait=True))
            if folder := self.store.find(stage.short):  # made by another, while this one waited
                yield Reused(**about, made=_made(folder))
                return
            for gpu in sorted(map(gpu_name, self._gpus_of(stage))):  # every run locks them in one order
                if not held.enter_context(self.store.lock(_lock_of(gpu), wait=False)):
                    yield Waiting(**about, gpu=gpu)
                    held.enter_context(self.store.lock(_lock_of(gpu), wait=True))
            yield from self._make(stage, title, changed)

    def _make(self, stage: Stage, title: str, changed: Changed) -> Generator[Event, None, None]:
        about = {"key": stage.key, "title": title, "kind": stage.kind}
        maker = MAKERS[stage.kind]
        start = self._on_own_gpus(stage, maker.prepare(stage, self.trainer, self.store))
        command = start.command.argv if start.command else ()
        earlier = sittings_in(self.store.attempt(stage.short)) if start.after else ()
        folder = self.store.begin(stage.short, stage.identity(), start.kept)
        log = str(log_of(folder)) if command else None
        why = f"{stage.why}; goes on after {start.after}" if start.after else stage.why
        yield Started(**about, why=why, command=command, log=log)
        sittings = Sittings(folder, earlier, start.after)
        try:
            attempt = Attempt(title, self.trainer, self.store, folder, start)
            with ExitStack() as held:
                if isinstance(stage, TrainStage) and stage.can_go_on:
                    held.enter_context(signals.hold())  # it pauses
                yield from maker.make(stage, attempt)
                held.enter_context(signals.hold())  # what took hours is kept within seconds
                sittings.forget()  # what is finished has them in its own record
                with ThreadPoolExecutor(1) as disk:  # it writes gigabytes while the numbers are read
                    sealing = disk.submit(self.store.seal, stage.short)
                    proof = maker.prove(stage, attempt)
                    sealed = sealing.result()
                times = sittings.ended()
                seconds = times[-1].seconds or 0.0
                write_atomic(folder / MADE, record_text(Made(command, seconds, proof, times)))
                if altered := changed_inputs(stage, changed):
                    write_atomic(folder / CHANGED, canonical_json(altered))
                self.store.keep(stage.short, sealed)
        except StagePaused as pause:
            yield Paused(**about, step=pause.step, steps=pause.steps, sittings=sittings.kept())
            raise pause.cause from None
        except (LorarecipeError, OSError) as problem:
            yield Failed(**about, message=str(problem), log=log, sittings=sittings.kept())
            raise
        except Exception as bug:
            message = f"a bug of lorarecipe: {type(bug).__name__}: {bug}"
            yield Failed(**about, message=message, log=log, sittings=sittings.kept())
            raise
        yield Finished(**about, seconds=seconds, proof=proof, changed=altered, sittings=times)

    def _gpus_of(self, stage: Stage) -> Sequence[int]:
        """Number the worker's GPUs that a stage has for itself; none where it has all that the machine shows it."""
        if not self.devices or not is_on_gpu(stage):
            return ()
        if stage.device.startswith("cuda:"):
            return (int(stage.device.removeprefix("cuda:")),)
        return self.devices[: stage.processes]

    def _on_own_gpus(self, stage: Stage, start: Start) -> Start:
        """Let a process see its own GPUs alone."""
        gpus = self._gpus_of(stage)
        if not start.command or not gpus:
            return start
        return replace(start, command=replace(start.command, env=start.command.env | only_gpus(gpus)))


def _lock_of(gpu: str) -> str:
    """Name the lock of a GPU of this host; the name of a part of one has slashes."""
    return f"gpu-{digest_of([platform.node(), gpu])[:16]}"


def _made(folder: Path) -> Made:
    try:
        return read_record(folder / MADE, Made)
    except (OSError, ValueError):
        return Made()
