"""Raw results: a line of JSON for each arm of each unit, appended as it comes, so that a run can be stopped any time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

RAW = Path(__file__).parent.parent / "results" / "method.jsonl"


@dataclass(frozen=True)
class Line:
    """What was measured of one arm of one unit, and where."""

    trainer: str
    unit: int
    arm: str
    recipe: str
    """Digest of what the arm trains and how it is used: a line of another recipe is not counted."""
    measures: dict[str, float]
    seconds: float | None
    """What training and measuring took; None where it was not noted."""
    machine: dict[str, str]
    """Commit, processor, Python and torch."""


#: measures by unit, by arm
Results = Mapping[str, Mapping[int, Mapping[str, float]]]


def read(path: Path = RAW) -> list[Line]:
    """Read all lines; of a line that was cut at the end of a run that was killed, nothing."""
    if not path.exists():
        return []
    lines = []
    for text in path.read_text("utf-8").splitlines():
        try:
            lines.append(Line(**json.loads(text)))
        except json.JSONDecodeError:
            continue
    return lines


def append(line: Line, path: Path) -> None:
    """Add a line; several processes may do so at once, as a short line is written in one piece."""
    cut = path.exists() and path.stat().st_size and not path.read_bytes().endswith(b"\n")
    with path.open("a", encoding="utf-8") as file:
        file.write(("\n" if cut else "") + json.dumps(asdict(line)) + "\n")


def of(lines: Sequence[Line], trainer: str, recipes: Mapping[str, str] | None = None) -> Results:
    """Give a trainer's results; with ``recipes``, those of the arms as they are defined now."""
    found: dict[str, dict[int, dict[str, float]]] = {}
    for line in lines:
        if line.trainer == trainer and (recipes is None or recipes.get(line.arm) == line.recipe):
            found.setdefault(line.arm, {})[line.unit] = line.measures
    return found


def values(results: Results, arm: str, measure: str, units: Sequence[int] | None = None) -> np.ndarray:
    """Give a measure of an arm, unit by unit."""
    units = sorted(results[arm]) if units is None else units
    return np.array([results[arm][unit][measure] for unit in units])


def shared(results: Results, *arms: str) -> list[int]:
    """Give the units that were measured for each of some arms."""
    return sorted(set.intersection(*(set(results.get(arm, ())) for arm in arms)))
