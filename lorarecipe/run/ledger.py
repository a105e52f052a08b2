"""The ledger: a folder for each run, written while the run goes on.

``run.json`` says what was asked for, by which versions, of which recipes, in which stages, and how it ended; it is
replaced whole whenever a stage begins or ends. ``events.jsonl`` holds every event, one a line, as it came. The log of a
stage that failed is copied beside them.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from lorarecipe import __version__
from lorarecipe.errors import Interrupted, LorarecipeError
from lorarecipe.events import Event, Failed, Paused, Progress, Sampled
from lorarecipe.files import read_json, sweep, write_atomic
from lorarecipe.plan import Plan
from lorarecipe.run.changes import plan_changes, planned
from lorarecipe.run.form import RunForm
from lorarecipe.run.record import Record

_PACKAGES = ("torch", "diffusers", "peft", "accelerate", "transformers", "safetensors", "numpy", "pillow")


@dataclass(frozen=True)
class Run:
    """A run as its folder tells it."""

    folder: Path
    told: dict[str, Any]

    @property
    def name(self) -> str:
        """Its number, the day on which it began, and four digits."""
        return self.folder.name

    @property
    def state(self) -> str:
        """How it ended, or ``running``; ``killed`` is one that runs in a process that is gone."""
        state = str(self.told["state"])
        return "killed" if state == "running" and not _lives(*self.told["process"]) else state


def begin_run(root: Path, plan: Plan, arguments: dict[str, Any], findings: Sequence[str] = ()) -> Run:
    """Write a new run into the ledger: all that is known before it starts; ``findings`` are the check's."""
    now = datetime.now(UTC)
    # numbered: of two runs, the clock does not tell which was first
    for before in _folders(root):
        sweep(before)
    number = max((_number(folder) for folder in _folders(root)), default=0) + 1
    folder = root / f"{number:04d}-{now:%Y%m%d}-{secrets.token_hex(2)}"
    sources = {lines.path: lines.digest for d in plan.deliveries for lines in (d.recipe.base_lines, d.recipe.lines)}
    told = {
        "format": 1,
        "state": "running",
        "began": now.isoformat(timespec="seconds"),
        "process": [os.getpid(), psutil.Process().create_time()],
        "arguments": arguments,
        "versions": {
            "lorarecipe": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            **{name: told for name in _PACKAGES if (told := _version(name))},
        },
        "recipes": [
            {"path": str(path), "sha256": digest, "text": path.read_text("utf-8-sig")}
            for path, digest in sources.items()
        ],
        "engine": plan.engine,
        "results": [delivery.name for delivery in plan.deliveries],
        "findings": list(findings),
        "plan": [planned(stage, plan.title(stage)) for stage in plan.stages],
        "stages": [],
        "files": {},
    }
    run = Run(folder, told)
    _write(run)
    return run


def noted(events: Iterable[Event], run: Run) -> Generator[Event, None, None]:
    """Pass the events on, each written down first; at the end, how it ended."""
    record, state = Record.begin(), "interrupted"
    try:
        with (run.folder / "events.jsonl").open("a", encoding="utf-8") as journal:
            for event in events:
                journal.write(json.dumps(event.as_json()) + "\n")
                journal.flush()
                record.add(event)
                if isinstance(event, Paused):
                    state = "paused"
                if isinstance(event, Failed) and event.log:
                    with suppress(OSError):
                        shutil.copy(event.log, run.folder / f"{event.kind}-{event.key[:16]}.log")
                if not isinstance(event, Progress | Sampled):
                    _write(_with(run, record, "running"))
                yield event
        state = "finished"
    except Interrupted:
        raise
    except (LorarecipeError, OSError) as problem:
        run.told["message"] = str(problem)
        state = "failed" if state == "interrupted" else state
        raise
    except Exception as bug:
        run.told["message"] = f"a bug of lorarecipe: {type(bug).__name__}: {bug}"
        state = "crashed"
        raise
    finally:
        run.told["ended"] = datetime.now(UTC).isoformat(timespec="seconds")
        _write(_with(run, record, state))


def all_runs(root: Path) -> list[Run]:
    """Give the runs of the ledger, newest first; a folder whose record is torn, or of another form, is none."""
    runs = []
    for folder in sorted(_folders(root), key=lambda folder: (_number(folder), folder.name), reverse=True):
        with suppress(OSError, ValueError):
            told = read_json(folder / "run.json")
            RunForm.model_validate(told)  # a pydantic error is a ValueError
            runs.append(Run(folder, told))
    return runs


def find_run(root: Path, name: str) -> Run:
    """Find a run by its name, the end of it, or ``last``.

    Raises
    ------
    LookupError
        When there is none, or more than one.
    """
    runs = all_runs(root)
    found = (
        runs[:1] if name == "last" else [run for run in runs if run.name.endswith(name) or run.name.startswith(name)]
    )
    if len(found) != 1:
        raise LookupError(f"{name!r}: found {len(found)} runs of this name, expected one; run: lorarecipe runs")
    return found[0]


def changes_since(run: Run, plan: Plan) -> Iterator[str]:
    """Name what a run was made from that a plan is not: images by their files, settings by their names."""
    return plan_changes(run.told["plan"], [planned(stage, plan.title(stage)) for stage in plan.stages])


def _folders(root: Path) -> list[Path]:
    return list(root.glob("*-*-*"))


def _number(folder: Path) -> int:
    """Give a run's number; 0 for one of before they had numbers."""
    first = folder.name.partition("-")[0]
    return int(first) if first.isdecimal() and len(first) < len("20260101") else 0


def _with(run: Run, record: Record, state: str) -> Run:
    run.told.update(state=state, stages=list(record.stages.values()), files=record.delivered)
    return run


def _write(run: Run) -> None:
    write_atomic(run.folder / "run.json", json.dumps(run.told, indent=2) + "\n")


def _lives(pid: int, created: float) -> bool:
    try:
        return bool(psutil.Process(pid).create_time() == created)
    except psutil.Error:
        return False


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
