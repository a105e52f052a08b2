"""The ledger: a folder for each run, written while the run goes on.

``ledger.json`` says what was asked for, by which versions, of which recipes, in which stages, and how it ended; it is
replaced whole whenever a stage begins or ends. ``events.jsonl`` holds every event, one a line, as it came; ``lease`` is
there while the run goes on. The log of a stage that failed is copied beside them.
"""

from __future__ import annotations

import json
import platform
import secrets
import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lorarecipe import __version__
from lorarecipe.errors import Interrupted, LorarecipeError
from lorarecipe.events import Event, Failed, Fetching, Paused, Progress, Sampled
from lorarecipe.files import read_json, sweep, write_atomic
from lorarecipe.lease import read_lease, sign, signing
from lorarecipe.plan import Plan
from lorarecipe.recipe import settings_of
from lorarecipe.run.changes import plan_changes, planned
from lorarecipe.run.form import Arguments, RecipeRecord, RunRecord
from lorarecipe.run.record import Record, text_of

_LEDGER, _LEASE = "ledger.json", "lease"
_PACKAGES = ("torch", "diffusers", "peft", "accelerate", "transformers", "safetensors", "numpy", "pillow")


@dataclass(frozen=True)
class Run:
    """A run of the ledger, and its record, which changes while the run goes on."""

    folder: Path
    record: RunRecord

    @property
    def name(self) -> str:
        """Its number, the day on which it began, and four digits."""
        return self.folder.name

    @property
    def state(self) -> str:
        """How it ended, or ``running``; ``killed`` is one that goes on by its record, and shows no sign of life."""
        lease = read_lease(self.folder / _LEASE) if self.record.state == "running" else None
        return "killed" if self.record.state == "running" and not (lease and lease.lives) else self.record.state


def begin_run(root: Path, plan: Plan, arguments: Arguments, findings: Sequence[str] = ()) -> Run:
    """Write a new run into the ledger: all that is known before it starts; ``findings`` are the check's."""
    # numbered: of two runs, the clock does not tell which was first
    for before in _folders(root):
        sweep(before)
    number = max((_number(folder) for folder in _folders(root)), default=0) + 1
    folder = root / f"{number:04d}-{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(2)}"
    sources = {lines.path: lines.digest for d in plan.deliveries for lines in (d.recipe.base_lines, d.recipe.lines)}
    versions = {name: found for name in _PACKAGES if (found := _version(name))}
    remotes = {path: remote for delivery in plan.deliveries for path, remote in delivery.recipe.remotes.items()}
    record = RunRecord(
        format=1,
        state="running",
        began=_now(),
        arguments=arguments,
        versions={
            "lorarecipe": __version__,
            "python": platform.python_version(),
            "platform": platform.platform(),
            **versions,
        },
        recipes=[
            RecipeRecord(path=str(path), sha256=digest, text=path.read_text("utf-8-sig"))
            for path, digest in sources.items()
        ],
        engine=plan.engine,
        results=[delivery.name for delivery in plan.deliveries],
        findings=list(findings),
        settings={delivery.name: list(settings_of(delivery.recipe)) for delivery in plan.deliveries},
        hub={str(path): str(remote.address) for path, remote in remotes.items()},
        sets={delivery.name: list(delivery.recipe.sets) for delivery in plan.deliveries if delivery.recipe.sets},
        plan=[planned(stage, plan.title(stage)) for stage in plan.stages],
    )
    run = Run(folder, record)
    _write(run)
    sign(folder / _LEASE)
    return run


def noted(events: Iterable[Event], run: Run) -> Generator[Event, None, None]:
    """Pass the events on, each written down first; at the end, how it ended."""
    record, state = Record(), "interrupted"
    with ExitStack() as held:  # the lease ends after the record says how the run ended
        try:
            held.enter_context(signing(run.folder / _LEASE))
            journal = held.enter_context((run.folder / "events.jsonl").open("a", encoding="utf-8"))
            for event in events:
                journal.write(json.dumps(event.as_json()) + "\n")
                journal.flush()
                record.add(event)
                if isinstance(event, Paused):
                    state = "paused"
                if isinstance(event, Failed) and event.log:
                    with suppress(OSError):
                        shutil.copy(event.log, run.folder / f"{event.kind}-{event.key[:16]}.log")
                if not isinstance(event, Progress | Sampled | Fetching):
                    _write_down(run, record, "running")
                yield event
            state = "finished"
        except Interrupted:
            raise
        except (LorarecipeError, OSError) as problem:
            run.record.message = str(problem)
            state = "failed" if state == "interrupted" else state
            raise
        except Exception as bug:
            run.record.message = f"a bug of lorarecipe: {type(bug).__name__}: {bug}"
            state = "crashed"
            raise
        finally:
            run.record.ended = _now()
            _write_down(run, record, state)


def all_runs(root: Path) -> list[Run]:
    """Give the runs of the ledger, newest first; a folder whose record is torn, or of another form, is none."""
    return list(each_run(root))


def each_run(root: Path) -> Iterator[Run]:
    """Give the runs as ``all_runs`` does, each read when it is asked for."""
    for folder in sorted(_folders(root), key=lambda folder: (_number(folder), folder.name), reverse=True):
        try:
            record = RunRecord.model_validate(read_json(folder / _LEDGER))
        except (OSError, ValueError):  # a pydantic error is a ValueError
            continue
        yield Run(folder, record)


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


def results_of(run: Run) -> list[Path]:
    """Give the folders of what a run is for."""
    out = Path(run.record.arguments.out)
    out = out / "rehearsal" if run.record.arguments.rehearse else out
    return [out / name for name in run.record.results or run.record.files]


def changes_since(run: Run, plan: Plan) -> Iterator[str]:
    """Name what a run was made from that a plan is not: images by their files, settings by their names."""
    return plan_changes(run.record.plan, [planned(stage, plan.title(stage)) for stage in plan.stages])


def _folders(root: Path) -> list[Path]:
    return list(root.glob("*-*-*"))


def _number(folder: Path) -> int:
    """Give a run's number; 0 for one of before they had numbers."""
    first = folder.name.partition("-")[0]
    return int(first) if first.isdecimal() and len(first) < len("20260101") else 0


def _write_down(run: Run, record: Record, state: str) -> None:
    run.record.state, run.record.stages, run.record.files = state, list(record.stages.values()), record.delivered
    _write(run)


def _write(run: Run) -> None:
    write_atomic(run.folder / _LEDGER, text_of(run.record))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
