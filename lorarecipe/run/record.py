"""Fold a run's events into what became of its stages and which files it delivered."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel

from lorarecipe.events import Delivered, Event, Failed, Finished, Paused, Progress, Reused, Skipped, Started
from lorarecipe.files import write_atomic
from lorarecipe.plan import Plan
from lorarecipe.run.form import FileRecord, ResultRecord, RunRecord, StageRecord
from lorarecipe.run.pictures import RECORD, pictures_of


@dataclass
class Record:
    """What happened; ``stages`` by key, in the order in which they began, and ``delivered`` by the result's name."""

    stages: dict[str, StageRecord] = field(default_factory=dict)
    delivered: dict[str, list[FileRecord]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Note an event; a stage's last loss is the trainer's running mean."""
        match event:
            case Reused(made=made):
                stage = self._stage(event, "reused")
                stage.command, stage.seconds, stage.proof = list(made.command), made.seconds, made.proof
                stage.sittings = list(made.sittings)
                if event.source:
                    stage.source = event.source
            case Started():
                self._stage(event, "started").command = list(event.command)
            case Progress():
                stage = self.stages[event.key]
                stage.steps = event.step
                stage.loss = event.loss if event.loss is not None and math.isfinite(event.loss) else None
            case Paused():
                stage = self.stages[event.key]
                stage.outcome, stage.steps, stage.sittings = "paused", event.step, list(event.sittings)
            case Finished():
                stage = self.stages[event.key]
                stage.outcome, stage.seconds, stage.proof = "made", event.seconds, event.proof
                stage.sittings = list(event.sittings)
                if event.changed:
                    stage.changed = list(event.changed)
            case Failed():
                stage = self._stage(event, "failed")
                stage.message, stage.sittings = event.message, list(event.sittings)
            case Skipped():
                self._stage(event, "not made")
            case Delivered():
                file = FileRecord(path=event.path, sha256=event.sha256)
                self.delivered.setdefault(event.name, []).append(file)
            case _:
                pass

    def _stage(self, event: Reused | Started | Failed | Skipped, outcome: str) -> StageRecord:
        stage = StageRecord(key=event.key, title=event.title, kind=event.kind, outcome=outcome)
        self.stages[event.key] = stage
        return stage


def fold(events: Iterable[Event]) -> Record:
    """Consume a run's events."""
    record = Record()
    for event in events:
        record.add(event)
    return record


def write_results(run: RunRecord, plan: Plan, out: Path) -> Iterator[Path]:
    """Write a record beside each result that a run has delivered, and give its path."""
    for delivery in plan.deliveries:
        if not (files := run.files.get(delivery.name)):
            continue
        folder = out / delivery.name
        names = [Path(file.path).relative_to(folder).as_posix() for file in files]
        result = ResultRecord(
            format=1,
            rehearsal=delivery.recipe.rehearsal,
            lorarecipe=run.versions["lorarecipe"],
            python=run.versions["python"],
            platform=run.versions["platform"],
            recipe=str(delivery.recipe.source),
            sets=list(delivery.recipe.sets),
            key=delivery.stage.key,
            allowed=run.arguments.allow,
            began=run.began,
            ended=run.ended,
            files=files,
            names=sorted({*pictures_of(delivery), *names}),
            stages=[stage for stage in run.stages if stage.key in delivery.keys],
        )
        write_atomic(folder / RECORD, text_of(result))
        yield folder / RECORD


def text_of(record: BaseModel) -> str:
    """Write a record as JSON, without what was not set; a name of a file need not be UTF-8."""
    return json.dumps(record.model_dump(exclude_unset=True), indent=2) + "\n"
