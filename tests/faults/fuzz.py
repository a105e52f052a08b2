"""``python -m tests.faults.fuzz [SECONDS]``: what is read from outside gives a clear error, never a traceback or a hang.

Needs ``pip install atheris`` (Linux), which mutates what it has seen by what the code does with it. Each kind of input
is fuzzed in a process of its own for SECONDS (60), of which the last line tells how many inputs were tried.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from lorarecipe.dataset.captions import read_caption
from lorarecipe.errors import RecipeError
from lorarecipe.recipe import load
from lorarecipe.run import all_runs
from lorarecipe.store import Store
from lorarecipe.trainer import read_progress
from lorarecipe.trainer.states import last_state
from lorarecipe.weights import SafetensorsError, Weights
from tests.conftest import RECIPE

_FOLDER = Path(tempfile.mkdtemp())


def recipe(data: bytes) -> None:
    """A recipe, and what can be asked of one that is valid."""
    path = _written("recipe.toml", data)
    told: RecipeError | None = None
    try:
        load(path)
    except RecipeError as error:
        told = error
    assert told is None or (str(told) and all(fault.line >= 1 for fault in told.faults))


def caption(data: bytes) -> None:
    """A caption file: its tags, or its problem."""
    read = read_caption(_written("caption.txt", data))
    assert read.tags or read.problem
    assert all(tag.text.strip() == tag.text != "" for tag in read.tags)


def header(data: bytes) -> None:
    """A safetensors file: refused, or read to its last number."""
    try:
        weights = Weights(_written("x.safetensors", data))
        _ = weights.metadata, weights.precision, weights.shapes
        for name in weights.names:
            weights.read(name)
    except SafetensorsError:
        return


def output(data: bytes) -> None:
    """What a trainer prints."""
    for event in read_progress("key", data.decode("utf-8", errors="replace").splitlines()):
        assert event.step >= 0


def records(data: bytes) -> None:
    """What we wrote ourselves, and a disk has damaged: a manifest, the seal of a state, a run's record."""
    _written("store/train-1/manifest.json", data)
    _written("lora-000001-state.json", data)
    (_FOLDER / "lora-000001-state").mkdir(exist_ok=True)
    _written("runs/0001-20260101-abcd/run.json", data)
    assert Store(_FOLDER / "store").find("train-1") is None
    last_state(_FOLDER)
    for run in all_runs(_FOLDER / "runs"):
        assert run.state


#: kind of input -> what reads it, and one that is good
TARGETS: dict[str, tuple[Callable[[bytes], None], bytes]] = {
    "recipe": (recipe, RECIPE.encode()),
    "caption": (caption, "red hair, 赤い髪, full body\r\n".encode()),
    "header": (header, save({"a": np.ones((2, 3), "float16"), "b": np.ones(1, "float32")}, {"ss_x": "y"})),
    "output": (output, b"epoch 1/2\nsteps:  25%|##5  | 1/4 [00:06<1:00:18,  6.02s/it, avr_loss=0.114]\r"),
    "records": (records, json.dumps({"a": {"sha256": "0", "stamp": [1, 2, 3, 4]}, "format": 1}).encode()),
}


def _written(name: str, data: bytes) -> Path:
    path = _FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


#: has the engine see every branch of ours: it has to be there before the first of our modules is imported
_ENGINE = """
import sys, atheris
with atheris.instrument_imports(include=["lorarecipe", "tests.faults.fuzz"]):
    from tests.faults.fuzz import TARGETS
atheris.Setup(sys.argv[:1] + sys.argv[2:], TARGETS[sys.argv[1]][0])
atheris.Fuzz()
"""


def main(seconds: str = "60") -> int:
    """Fuzz each kind of input; 1 when one of them gave a traceback or hung."""
    codes = []
    for name, (_, good) in TARGETS.items():
        seed = _written(f"seeds-{name}/good", good)
        words = [f"-max_total_time={seconds}", "-timeout=10", "-max_len=4096", f"-artifact_prefix={_FOLDER}/"]
        print(f"--- {name}", flush=True)
        done = subprocess.run([sys.executable, "-c", _ENGINE, name, *words, str(seed.parent)], stderr=subprocess.PIPE)
        told = done.stderr.decode(errors="replace").splitlines()
        print(*(told[-1:] if done.returncode == 0 else told[:15]), sep="\n", flush=True)
        codes.append(done.returncode)
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
