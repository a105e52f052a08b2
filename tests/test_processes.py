"""Trainings that two processes share, on the CPU: the weights of one process, pauses and ports."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from lorarecipe.demo import NANO
from tests.renders import demo_renders
from tests.test_embedded import _same

pytestmark = pytest.mark.slow

_ROOT = Path(__file__).parent.parent
# one image, seen again and again: its batches are the same in every order
_RECIPE = f"""\
format = 1
name = "aoi"
method = "plain"

[checkpoint]
family = "sd15"
path = "{NANO}"

[target]
images = "one"
repeats = 8

[target.training]
rank = 2
alpha = 2
unet_lr = 1e-3
epochs = 10
batch_size = BATCH
resolution = 64
buckets = false
scheduler = "cosine"
warmup_steps = 10

[trainer]
engine = "embedded"
device = "cpu"
processes = PROCESSES
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An author's folder with one image, and a recipe for each number of processes."""
    root = tmp_path_factory.mktemp("shared")
    demo_renders(root / "renders")
    (root / "one").mkdir()
    picture = min((root / "renders" / "red").glob("*.png"))
    for file in (picture, picture.with_suffix(".txt")):
        shutil.copy(file, root / "one")
    for processes, batch in ((1, 2), (2, 1)):
        text = _RECIPE.replace("PROCESSES", str(processes)).replace("BATCH", str(batch))
        (root / f"{processes}.toml").write_text(text, encoding="utf-8")
    return root


def _start(root: Path, processes: int, home: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lorarecipe", "run", f"{processes}.toml", "--json", "--out", f"{home}/out"],
        cwd=root,
        env=os.environ | {"LORARECIPE_HOME": str(root / home), "PYTHONPATH": str(_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _events(running: subprocess.Popen[str], code: int = 0) -> list[dict[str, Any]]:
    """Wait for a run, and give the events that were not read yet."""
    with running:
        assert running.stdout
        assert running.stderr
        events = [json.loads(line) for line in running.stdout]
        errors = running.stderr.read()
    assert running.returncode == code, errors
    return events


def _lora(root: Path, home: str) -> Path:
    return root / home / "out" / "aoi" / "aoi.safetensors"


def _read_until_step(lines: Iterable[str], step: int) -> None:
    events: list[dict[str, Any]] = []
    for line in lines:
        events.append(event := json.loads(line))
        if event["event"] == "progress" and event["step"] >= step:
            return
    raise AssertionError(events)


def test_two_processes_are_as_one_and_can_pause(root: Path) -> None:
    """Two such trainings go on side by side, of which one is paused after its warm-up has begun, and goes on."""
    whole, paused = _start(root, 2, "whole"), _start(root, 2, "paused")
    assert paused.stdout
    _read_until_step(paused.stdout, 3)
    paused.send_signal(signal.SIGTERM)
    stopped = [event for event in _events(paused, 143) if event["event"] == "paused"]
    assert [(event["steps"], 3 <= event["step"] < 40) for event in stopped] == [(40, True)]
    events = _events(whole)
    steps = [event["step"] for event in events if event["event"] == "progress"]
    assert steps == sorted(steps)
    assert steps[-1] == 40
    _events(_start(root, 1, "single"))
    again = next(event for event in _events(_start(root, 2, "paused")) if event["event"] == "started")
    assert "goes on after epoch" in again["why"]
    assert _same(_lora(root, "whole"), _lora(root, "paused"))
    one, two = (load_file(_lora(root, home)) for home in ("single", "whole"))
    assert max(float(weights.abs().max()) for name, weights in one.items() if "lora_up" in name) > 1e-3
    for name, weights in one.items():
        torch.testing.assert_close(two[name], weights, rtol=0, atol=1e-4)
