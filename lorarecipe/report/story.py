"""What a page tells of a run, read from the run's record and from the files beside its result. Draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from lorarecipe.plan import TrainStage
from lorarecipe.recipe import Setting
from lorarecipe.records import Candidates, Leak, Passport
from lorarecipe.report.curves import Curves
from lorarecipe.report.references import Reference, references_of
from lorarecipe.run import (
    CANDIDATES,
    LEAK,
    PASSPORT,
    Baked,
    PlannedStage,
    Run,
    StageRecord,
    baked_in,
    record_beside,
    results_of,
)
from lorarecipe.trainer.states import LOGS


@dataclass(frozen=True)
class Story:
    """A run, and one of its results; ``folder`` is the result's, which need not be there yet."""

    run: Run
    name: str
    folder: Path
    curves: Mapping[str, Curves]
    """By the key of the training."""
    store: Path

    @property
    def stages(self) -> list[tuple[PlannedStage, StageRecord]]:
        """What was planned, in order, each with how far it is."""
        done = {stage.key: stage for stage in self.run.record.stages}
        return [
            (one, done.get(one.key, StageRecord(key=one.key, title=one.title, kind=one.kind, outcome="to do")))
            for one in self.run.record.plan
        ]

    @property
    def logs(self) -> list[str]:
        """Folders of the trainings' TensorBoard logs."""
        return [str(self.store / name / LOGS) for name in trainings_of(self.run).values()]

    @cached_property
    def leak(self) -> Leak | None:
        """The leak test, as far as it was made; nothing follows from that of a rehearsal."""
        leak = record_beside(self.run, self.folder, LEAK, Leak)
        return leak.without_advice if leak and self.rehearsal else leak

    @property
    def rehearsal(self) -> bool:
        """Whether the run tried its recipes in miniature."""
        return self.run.record.arguments.rehearse

    @cached_property
    def baked(self) -> Baked | None:
        """The file whose weight 1.0 is another weight of a LoRA of this run, where there is one."""
        files = self.run.record.files.get(self.name, [])
        return baked_in(self.folder, {file.sha256: Path(file.path) for file in files})

    @property
    def renders(self) -> list[Reference]:
        """Images that the target was trained on: samples, and pictures to pick from, are judged against them."""
        measured = self.leak or self.candidates
        return references_of(self._images(measured.of[0])) if measured else []

    @property
    def base_renders(self) -> list[Reference]:
        """Images that a base's gate compares its pictures with."""
        return references_of(self._images(self.passport.of[0])) if self.passport else []

    @property
    def settings(self) -> dict[str, list[Setting]]:
        """Settings by their tables, as the run used them; of an earlier version's run there are none."""
        tables: dict[str, list[Setting]] = {}
        for setting in self.run.record.settings.get(self.name, []):
            tables.setdefault(setting.table, []).append(setting)
        return tables

    @cached_property
    def candidates(self) -> Candidates | None:
        """Pictures to pick from, where the recipe distills or refines."""
        return record_beside(self.run, self.folder, CANDIDATES, Candidates)

    @cached_property
    def passport(self) -> Passport | None:
        """The base's."""
        return record_beside(self.run, self.folder, PASSPORT, Passport)

    def _images(self, key: str) -> PlannedStage | None:
        """Find the images of a stage: those that its pictures are compared with, or that its LoRA was trained on."""
        planned = {stage.key: stage for stage in self.run.record.plan}
        stage = planned.get(key)
        while stage and not stage.identity.groups:
            made_from = stage.identity.model_extra or {}
            key = str(stage.identity.renders or made_from.get("lora") or made_from.get("data"))
            stage = planned.get(key)
        return stage


def trainings_of(run: Run) -> dict[str, str]:
    """Give the folders of a run's trainings in the store, by their keys."""
    return {stage.key: stage.name for stage in run.record.plan if stage.kind == TrainStage.kind}


def stories(run: Run, curves: Mapping[str, Curves], store: Path) -> list[Story]:
    """Tell of every result that a run is for."""
    return [Story(run, folder.name, folder, curves, store) for folder in results_of(run)]
