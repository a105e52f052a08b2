"""``python -m tests.faults.fuzz [SECONDS]``: what is read from outside gives a clear error, never a traceback or a hang.

Needs ``pip install atheris`` (Linux), which mutates what it has seen by what the code does with it. Each kind of input
is fuzzed in a process of its own for SECONDS (60), of which the last line tells how many inputs were tried.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from pydantic import ValidationError
from safetensors.numpy import save

from lorarecipe.dataset.captions import plain, read_caption
from lorarecipe.errors import CheckFailed, RecipeError
from lorarecipe.recipe import Captions, load
from lorarecipe.recipe.lines import locate
from lorarecipe.records import Candidates, Leak, Passport, read_record
from lorarecipe.rules.names import read_name
from lorarecipe.run import CANDIDATES, LEAK, PASSPORT, all_runs
from lorarecipe.store import Store
from lorarecipe.trainer import read_progress
from lorarecipe.trainer.states import last_state
from lorarecipe.weights import SafetensorsError, Weights
from lorarecipe.weights.convert import convert
from tests.conftest import RECIPE

_FOLDER = Path(tempfile.mkdtemp())
_ENCODINGS = (None, "cp1252", "cp932", "utf_16_le", "utf-7", "big5")


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


def encoding(data: bytes) -> None:
    """A caption in any encoding: read, or the readings that it may have."""
    given, _, content = data.partition(b"\n")
    name = _ENCODINGS[len(given) % len(_ENCODINGS)]
    read = read_caption(_written("caption.txt", content), encoding=name)
    assert read.tags or read.problem
    assert "\0" not in read.text


def separators(data: bytes) -> None:
    """What people write between tags: no letter is lost by it, and what is mended needs no mending."""
    text = data.decode("utf-8", errors="ignore")
    read = read_caption(_written("caption.txt", text.encode()))
    if read.mendable:
        assert _letters(read.text) == _letters(text.removeprefix("\ufeff"))
        assert read_caption(_written("caption.txt", read.text.encode())).words == read.words


def name(data: bytes) -> None:
    """A pattern and the name of an image: what it says, or why not."""
    pattern, _, stem = data.decode("utf-8", errors="ignore").partition("\n")
    try:
        captions = Captions(pattern=pattern, words={})
    except ValidationError:
        return
    read = read_name(Path("folder") / (re.sub(r"[/\0]", "_", stem) + ".png"), captions)
    assert (read.zoom is None) == (read.problem is not None)
    assert plain(plain(stem)) == plain(stem)


def lines(data: bytes) -> None:
    """A TOML text: every key is found on a line that it stands on."""
    text = data.decode("utf-8", errors="ignore").replace("\r\n", "\n")
    try:
        read = tomllib.loads(text)
    except (ValueError, RecursionError):
        return
    found = locate(Path("x.toml"), text)
    for key in read:
        assert 1 <= found.numbers[(key,)] <= text.count("\n") + 1


def pickle(data: bytes) -> None:
    """A pickled checkpoint: turned into safetensors, or refused."""
    with suppress(CheckFailed):
        convert(_written("x.pt", data), _FOLDER / "x-converted.safetensors")


def beside(data: bytes) -> None:
    """What lies beside a result."""
    for file, form in ((LEAK, Leak), (PASSPORT, Passport), (CANDIDATES, Candidates)):
        with suppress(ValueError):
            assert isinstance(read_record(_written(file, data), form), form)


def header(data: bytes) -> None:
    """A safetensors file: refused, or read to its last number."""
    try:
        weights = Weights(_written("x.safetensors", data))
        _ = weights.metadata, weights.shapes
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
    _written("runs/0001-20260101-abcd/ledger.json", data)
    assert Store(_FOLDER / "store").find("train-1") is None
    last_state(_FOLDER)
    for run in all_runs(_FOLDER / "runs"):
        assert run.state


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def _pickled() -> bytes:
    stream = io.BytesIO()
    torch.save({"a": torch.ones(2)}, stream)
    return stream.getvalue()


#: kind of input -> what reads it, and one that is good
TARGETS: dict[str, tuple[Callable[[bytes], None], bytes]] = {
    "recipe": (recipe, RECIPE.encode()),
    "caption": (caption, "red hair, 赤い髪, full body\r\n".encode()),
    "encoding": (encoding, "xx\nsailor’s collar, 赤い髪".encode("utf-16-le")),
    "separators": (separators, "red hair; long hair、full body. st. louis ;) |_|\nfrom behind".encode()),
    "name": (name, b"{any}_{zoom}-{view}_{azimuth}\nred_full body-from behind_180"),
    "lines": (lines, RECIPE.encode()),
    "pickle": (pickle, _pickled()),
    "beside": (beside, json.dumps({"of": ["k"], "advice": None, "rows": [], "pictures": []}).encode()),
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
