"""Real runs of the embedded trainer with two jobs: the numbers of one job, whatever happens in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lorarecipe.demo import render_all
from lorarecipe.run import find_run
from tests.faults.world import RECIPE, processes_of
from tests.test_embedded import _same

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parent.parent
_TARGETS = ("honey", "auburn")


@dataclass(frozen=True)
class _World:
    """An author's folder, with a home for each way of running."""

    root: Path

    def start(self, home: str, *words: str, recipes: Iterable[str] = _TARGETS) -> subprocess.Popen[str]:
        environment = os.environ | {"LORARECIPE_HOME": str(self.root / home), "PYTHONPATH": str(_ROOT)}
        words = ("--json", "--out", str(self.root / home / "out"), *words)
        return subprocess.Popen(
            [sys.executable, "-m", "lorarecipe", "run", *(f"{name}.toml" for name in recipes), *words],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, home: str, *words: str, recipes: Iterable[str] = _TARGETS) -> list[dict[str, Any]]:
        running = self.start(home, *words, recipes=recipes)
        told, errors = running.communicate(timeout=600)
        assert running.returncode == 0, errors
        return [json.loads(line) for line in told.splitlines()]

    def lora(self, home: str, name: str) -> Path:
        return self.root / home / "out" / name / f"{name}.safetensors"

    def result(self, home: str) -> list[Path]:
        assert len([*(self.root / home).glob("store/train-*/lora.safetensors")]) == 1 + len(_TARGETS)
        return [self.lora(home, name) for name in _TARGETS]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> _World:
    """Two targets on one base, made with one job."""
    root = tmp_path_factory.mktemp("beside")
    render_all(root / "renders")
    for name in _TARGETS:
        text = RECIPE.replace('name = "aoi"', f'name = "{name}"').replace("renders/honey", f"renders/{name}")
        # long enough that a signal finds a training under way on a busy machine too: two steps an epoch
        text = text.replace("[base.gate]", '[base.gate]\nmode = "off"')
        text = text.replace("epochs = 4\n", "epochs = 24\n").replace("every_epochs = 2\n", "every_epochs = 12\n")
        (root / f"{name}.toml").write_text(text, encoding="utf-8")
    world = _World(root)
    world.run("one", "--jobs", "1")
    return world


def _finished(events: Iterable[dict[str, Any]]) -> list[str]:
    return [event["title"] for event in events if event["event"] == "finished"]


def _most_at_once(events: Iterable[dict[str, Any]]) -> int:
    running, most = set[str](), 0
    for event in events:
        if event["event"] == "started":
            running.add(event["key"])
            most = max(most, len(running))
        elif event["event"] in {"finished", "failed", "paused"}:
            running.discard(event["key"])
    return most


def _is_as_with_one(world: _World, home: str) -> bool:
    return all(_same(one, other) for one, other in zip(world.result("one"), world.result(home), strict=True))


def test_two_jobs_give_what_one_gives(world: _World) -> None:
    events = world.run("two", "--jobs", "2")
    assert _most_at_once(events) == 2
    assert _is_as_with_one(world, "two")
    runs = [find_run(world.root / home / "runs", "last") for home in ("one", "two")]
    one, two = ({stage.title: (stage.outcome, stage.proof) for stage in run.record.stages} for run in runs)
    assert {run.state for run in runs} == {"finished"}
    assert one == two
    assert [event["event"] for event in world.run("two", "--jobs", "2")].count("started") == 0


def _read_until_two_train(lines: Iterable[str]) -> list[dict[str, Any]]:
    """Read events up to one at which two trainings have taken a step and neither has ended."""
    events: list[dict[str, Any]] = []
    training = set[str]()
    for line in lines:
        events.append(event := json.loads(line))
        if event["event"] == "progress" and event["step"]:
            training.add(event["key"])
        elif event["event"] == "finished":
            training.discard(event["key"])
        if len(training) == 2:
            return events
    raise AssertionError(events)


def test_two_that_are_stopped_go_on(world: _World) -> None:
    """Both trainers end with the run; the next one makes nothing twice, and ends with the same numbers."""
    for attempt in range(5):  # on a busy machine, one or both may end before the signal comes
        home = f"stopped-{attempt}"
        with world.start(home, "--jobs", "2") as running:
            assert running.stdout
            assert running.stderr
            events = _read_until_two_train(running.stdout)
            running.terminate()
            # by the same iterator: its buffer holds some that were read with the others
            events += [json.loads(line) for line in running.stdout]
            errors = running.stderr.read()
        if "paused" in {event["event"] for event in events}:
            break
    assert running.returncode == 128 + signal.SIGTERM, errors
    deadline = time.monotonic() + 60
    while processes_of(world.root / home):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    begun, ended = (
        {event["key"] for event in events if event["event"] in kinds and event["kind"] == "train"}
        for kinds in ({"started"}, {"paused", "finished"})
    )
    assert begun == ended
    assert find_run(world.root / home / "runs", "last").state == "paused"
    assert errors.endswith("--jobs 2\n")
    again = world.run(home, "--jobs", "2")
    assert _is_as_with_one(world, home)
    made = _finished([*events, *again])
    assert len(made) == len({*made})
    paused = {event["key"] for event in events if event["event"] == "paused"}
    assert all(
        "goes on after" in event["why"] for event in again if event["event"] == "started" and event["key"] in paused
    )
