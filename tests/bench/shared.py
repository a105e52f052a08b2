"""What a shared store costs: a stage of 100 MB pushed and pulled, beside a plain copy of its file, in turns.

Usage: python -m tests.bench.shared
(in a folder, and in a bucket of moto's server on loopback: what the network costs comes on top)
Results go to tests/bench/results/shared.json.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import pytest

from lorarecipe.shared import SharedAddress, SharedStore, shared_store
from lorarecipe.store import Store
from tests.bench.method.__main__ import machine
from tests.s3 import Bucket

_SIZE = 100_000_000
RESULTS = Path(__file__).parent / "results" / "shared.json"


def measured(shared: SharedStore, folder: Path, turns: int = 5) -> dict[str, float]:
    """Copy, push and pull in turns; seconds are medians, each ends when all of it is on the disk."""
    store = Store(folder / "one")
    (store.begin("train-0", {}) / "lora.safetensors").write_bytes(os.urandom(_SIZE))
    file = store.keep("train-0") / "lora.safetensors"
    seconds: dict[str, list[float]] = {"copy": [], "push": [], "pull": []}
    for turn in range(turns):
        name, other = f"train-{turn}", Store(folder / "two")
        if turn:
            shutil.copytree(store.path("train-0"), store.path(name))
        seconds["copy"].append(_timed(lambda: _copied(file, folder / "copy")))
        seconds["push"].append(_timed(partial(shared.push, name, store, _counts_nothing, replaces=False)))
        seconds["pull"].append(_timed(partial(_pulled, shared, name, other)))
    found = {way: median(times) for way, times in seconds.items()}
    return found | {f"{way} of a copy": found[way] / found["copy"] for way in ("push", "pull")}


def _copied(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    with target.open("rb+") as written:
        os.fsync(written.fileno())


def _pulled(shared: SharedStore, name: str, store: Store) -> None:
    found = shared.find(name)
    assert found
    shared.pull(found, {}, store.pulled(name), _counts_nothing)
    store.adopt(name)


def _counts_nothing(size: int) -> None:
    pass


def _timed(work: Callable[[], object]) -> float:
    start = time.monotonic()
    work()
    return time.monotonic() - start


def main() -> None:
    with TemporaryDirectory() as folder, Bucket() as bucket, pytest.MonkeyPatch.context() as patch:
        root = Path(folder)
        bucket.use(patch)
        in_bucket = shared_store()
        assert in_bucket
        results = {
            "machine": machine(),
            "folder": measured(SharedStore(SharedAddress("file", str(root / "shared"))), root / "a"),
            "bucket": measured(in_bucket, root / "b"),
        }
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
