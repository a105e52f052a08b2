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
from typing import Annotated, Any, Literal

import psutil
from pydantic import BaseModel, StringConstraints

from lorarecipe import __version__
from lorarecipe.errors import Interrupted, LorarecipeError, printable
from lorarecipe.events import Event, Failed, Paused, Progress, Sampled
from lorarecipe.files import read_json, sweep, write_atomic
from lorarecipe.plan import DataStage, Plan, Stage, TrainStage, step_sum
from lorarecipe.run.record import Record

_PACKAGES = ("torch", "diffusers", "peft", "accelerate", "transformers", "safetensors", "numpy", "pillow")


class _File(BaseModel):
    path: str
    sha256: str


class _Recipe(_File):
    text: str


class _Stage(BaseModel):
    key: str
    title: str
    kind: str
    outcome: str
    seconds: float = 0.0
    loss: float | None = None


class _Identity(BaseModel, extra="allow"):
    groups: list[list[tuple[str, str]]] = []


class _Planned(BaseModel):
    key: str
    name: str
    title: str
    identity: _Identity
    paths: list[list[str]] = []


class _Arguments(BaseModel):
    recipes: list[str]
    out: str
    allow: list[str] = []
    rehearse: bool = False


#: a result names files: another name in an edited record could lead elsewhere
_Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class _Told(BaseModel):
    """What is read of a run's record; one of another form is not read."""

    format: Literal[1]
    state: str
    began: str
    ended: str = "-"
    message: str = ""
    process: tuple[int, float]
    arguments: _Arguments
    versions: dict[str, str]
    recipes: list[_Recipe]
    results: list[_Name] = []
    plan: list[_Planned]
    stages: list[_Stage]
    files: dict[_Name, list[_File]]


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
        "plan": [_planned(stage, plan.title(stage)) for stage in plan.stages],
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
            _Told.model_validate(told)  # a pydantic error is a ValueError
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
    return plan_changes(run.told["plan"], [_planned(stage, plan.title(stage)) for stage in plan.stages])


def plan_changes(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Name what differs between the stages of two plans, as records have them under ``plan``.

    Stages are matched by their kind and title. Keys of other stages are left out: what these are made from says more.
    """
    keys = {f'"{stage["key"]}"' for stage in (*before, *after)}
    # the same stage under another title, as of a recipe that was renamed, is no change
    same = {stage["name"] for stage in before} & {stage["name"] for stage in after}
    earlier = {(_kind(stage), stage["title"]): stage for stage in before if stage["name"] not in same}
    for stage in (stage for stage in after if stage["name"] not in same):
        title = stage["title"]
        old = earlier.pop((_kind(stage), title), None)
        if old is None:
            yield f"{title}: new"
            continue
        was, now = _facts(old), _facts(stage)
        names = [name for name in sorted(was.keys() | now.keys()) if was.get(name) != now.get(name)]
        named = [name for name in names if was.get(name) not in keys and now.get(name) not in keys]
        yield from (f"{title}: {name} was {was.get(name, 'nothing')}, is {now.get(name, 'nothing')}" for name in named)
        if not names:
            yield f"{title}: the images are in another order"
    yield from (f"{title}: no longer in the plan" for _, title in earlier)


def _kind(stage: dict[str, Any]) -> str:
    return str(stage["name"]).partition("-")[0]


def _facts(stage: dict[str, Any]) -> dict[str, str]:
    """Give what a stage is made from, by name: images and captions by the image's file."""
    identity = dict(stage["identity"])
    images: list[tuple[str, str]] = [image for group in identity.pop("groups", []) for image in group]
    paths = [path for group in stage.get("paths", []) for path in group] or [digest for digest, _ in images]
    facts = {
        printable(path): f"image {digest[:12]}, caption {json.dumps(caption, ensure_ascii=False)}"
        for path, (digest, caption) in zip(paths, images, strict=False)  # picks have no groups in their identity
    }
    return facts | flat(json.loads(json.dumps(identity)))


def flat(value: object, prefix: str = "") -> dict[str, str]:
    """Name every leaf of a record by its way from the top."""
    if isinstance(value, dict):
        return {k: v for name, inner in value.items() for k, v in flat(inner, f"{prefix}.{name}").items()}
    if isinstance(value, list):
        return {k: v for index, inner in enumerate(value) for k, v in flat(inner, f"{prefix}[{index}]").items()}
    return {prefix.removeprefix("."): json.dumps(value, ensure_ascii=False)}


def _folders(root: Path) -> list[Path]:
    return list(root.glob("*-*-*"))


def _number(folder: Path) -> int:
    """Give a run's number; 0 for one of before they had numbers."""
    first = folder.name.partition("-")[0]
    return int(first) if first.isdecimal() and len(first) < len("20260101") else 0


def _planned(stage: Stage, title: str) -> dict[str, Any]:
    """What the stage is made from; of images, also where they were."""
    told: dict[str, Any] = {"key": stage.key, "name": stage.short, "title": title, "identity": stage.identity()}
    if isinstance(stage, DataStage):
        told["paths"] = [[str(image.path) for image in group] for group in stage.groups]
    if isinstance(stage, TrainStage):
        told["sum"] = list(step_sum(stage))
    return told


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
