"""What a page tells of a run, read from the run's record and from the files beside its result. Draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lorarecipe.report.beside import read_beside
from lorarecipe.report.curves import Curves
from lorarecipe.run import CANDIDATES, LEAK, PASSPORT, Run
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
    def stages(self) -> list[dict[str, Any]]:
        """What was planned, in order, each with how far it is."""
        done = {stage["key"]: stage for stage in self.run.told["stages"]}
        idle = {"outcome": "to do"}
        return [planned | done.get(planned["key"], idle) for planned in self.run.told["plan"]]

    @property
    def logs(self) -> list[str]:
        """Folders of the trainings' TensorBoard logs."""
        trained = [stage["name"] for stage in self.run.told["plan"] if stage["name"].startswith("train-")]
        return [str(self.store / name / LOGS) for name in trained]

    @property
    def leak(self) -> dict[str, Any]:
        """The leak test, as far as it was made."""
        return self._read(LEAK)

    @property
    def candidates(self) -> list[dict[str, Any]]:
        """Pictures to pick from, where the recipe distills."""
        return list(self._read(CANDIDATES).get("pictures", []))

    @property
    def passport(self) -> dict[str, Any]:
        """The base's."""
        return self._read(PASSPORT)

    def _read(self, file: str) -> dict[str, Any]:
        return read_beside(self.folder / file, {stage["key"] for stage in self.run.told["plan"]})


def stories(run: Run, curves: Mapping[str, Curves], store: Path) -> list[Story]:
    """Tell of every result that a run is for."""
    out = Path(run.told["arguments"]["out"])
    out = out / "rehearsal" if run.told["arguments"]["rehearse"] else out
    return [Story(run, name, out / name, curves, store) for name in run.told.get("results", run.told["files"])]
