"""Fold a run's events into the record that lies beside each result."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lorarecipe import __version__
from lorarecipe.events import Delivered, Event, Failed, Finished, Paused, Progress, Reused, Skipped, Started
from lorarecipe.files import write_atomic
from lorarecipe.plan import Plan
from lorarecipe.run.pictures import RECORD, pictures_of


@dataclass
class Record:
    """What happened; ``stages`` by key, in the order in which they ended."""

    began: str
    ended: str = ""
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    delivered: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    @classmethod
    def begin(cls) -> Record:
        """Give an empty record that begins now."""
        return cls(_now())

    def add(self, event: Event) -> None:
        """Note an event; a stage's last loss is the trainer's running mean."""
        match event:
            case Reused():
                self.stages[event.key] = _about(event) | {"outcome": "reused", **event.made}
            case Started():
                self.stages[event.key] = _about(event) | {"outcome": "started", "command": list(event.command)}
            case Progress():
                self.stages[event.key] |= {"steps": event.step, "loss": event.as_json()["loss"]}
            case Paused():
                self.stages[event.key] |= {"outcome": "paused", "steps": event.step}
            case Finished():
                self.stages[event.key] |= {"outcome": "made", "seconds": event.seconds, "proof": event.proof}
                if event.changed:
                    self.stages[event.key]["changed"] = list(event.changed)
            case Failed():
                self.stages[event.key] = _about(event) | {"outcome": "failed", "message": event.message}
            case Skipped():
                self.stages[event.key] = _about(event) | {"outcome": "not made"}
            case Delivered():
                file = {"path": event.path, "sha256": event.sha256}
                self.delivered.setdefault(event.name, []).append(file)
            case _:
                pass

    def write(self, plan: Plan, out: Path, allowed: Sequence[str] = ()) -> list[Path]:
        """Write ``run.json`` beside each delivered result; ``allowed`` are rules whose errors were let pass."""
        written = []
        for delivery in plan.deliveries:
            if delivery.name not in self.delivered:
                continue
            document = {
                "format": 1,
                "lorarecipe": __version__,
                "python": platform.python_version(),
                "platform": platform.platform(),
                "recipe": str(delivery.recipe.source),
                "key": delivery.stage.key,
                "allowed": list(allowed),
                "began": self.began,
                "ended": self.ended,
                "files": self.delivered[delivery.name],
                # all that may be removed when a later run no longer wants it
                "names": sorted({*pictures_of(delivery), *self._names(delivery.name, out / delivery.name)}),
                "stages": [stage for key, stage in self.stages.items() if key in delivery.keys],
            }
            path = out / delivery.name / RECORD
            write_atomic(path, json.dumps(document, indent=2) + "\n")
            written.append(path)
        return written

    def _names(self, name: str, folder: Path) -> list[str]:
        return [Path(file["path"]).relative_to(folder).as_posix() for file in self.delivered[name]]


def fold(events: Iterable[Event], record: Record | None = None) -> Record:
    """Consume a run's events, into a record that was begun before or into a new one; times are UTC, to the second."""
    record = record or Record.begin()
    try:
        for event in events:
            record.add(event)
    finally:
        record.ended = _now()
    return record


def _about(event: Reused | Started | Failed | Skipped) -> dict[str, Any]:
    return {"key": event.key, "title": event.title, "kind": event.kind}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
