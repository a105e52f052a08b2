"""What things cost, as ratios within one run: the merge, the trainers, and many characters on one base.

Usage: python -m tests.bench.speed merge|trainers|start|characters [FOLDER]
(after `lorarecipe setup` and `python -m tests.rehearsal`)

`merge`: a full-size SD1.5, copied, merged by us, and by sd-scripts' script. `trainers`: the same training of the nano
by both. `start`: how long their imports take, and how long it is to the first step; with a full-size SD1.5 too.
`characters`: 1, 3 and 10 characters on one base beside as many two-phase runs by hand, each on a core of its
own. Results go to tests/bench/results/speed.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from lorarecipe.files import large_file_digest
from lorarecipe.plan import MergeStage, Model, Source, TrainStage
from lorarecipe.store import Store
from lorarecipe.trainer import (
    Installation,
    find_trainer,
    launch,
    merge_base,
    read_progress,
    stage_images,
    train_command,
)
from lorarecipe.weights import Weights, lora_modules
from tests import rehearsal
from tests.bench.method.__main__ import machine, with_nano
from tests.bench.method.arms import ARMS, Bench
from tests.bench.method.cast import target_of
from tests.bench.method.results import RAW

CHECKPOINT = rehearsal.FOLDER / "checkpoint.safetensors"
#: copy, or merge if two files are given; prints seconds until written, until flushed to the disk, and kB at most
WRITE = """
import os, shutil, sys, time; from pathlib import Path
from lorarecipe.weights import Weights, merge
*given, out = map(Path, sys.argv[1:]); start = time.monotonic()
shutil.copyfile(*given, out) if len(given) == 1 else merge(*map(Weights, given), 1.0, out, "sd15")
written = time.monotonic() - start
with out.open("r+b") as file: os.fsync(file)
flushed = time.monotonic() - start
print(written, flushed, Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""
_LAUNCHER = "import accelerate.commands.launch"
#: what the embedded trainer's script does before it looks at its arguments
_EMBEDDED = """
from lorarecipe.trainer.embedded import importing
with importing():
    import lorarecipe.trainer.embedded.training
"""


def merge_speed(folder: Path, turns: int = 9) -> dict[str, Any]:
    """Copy and merge in turns, and merge by the script once; seconds are medians, gigabytes the most."""
    lora, out = folder / "lora.safetensors", folder / "merged.safetensors"
    rehearsal.lora(lora, CHECKPOINT, "sd15", 32)
    runs: dict[str, list[list[float]]] = {"copy": [], "ours": []}
    for _ in range(turns):
        for name, given in (("copy", [CHECKPOINT]), ("ours", [CHECKPOINT, lora])):
            words = [sys.executable, "-c", WRITE, *map(str, given), str(out)]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            runs[name].append([float(word) for word in done.stdout.split()])
            out.unlink()
    told: dict[str, Any] = {"modules": len(lora_modules(Weights(lora).names)), "turns": turns}
    for name, lines in runs.items():
        written, flushed, most = zip(*lines, strict=True)
        told[name] = {"seconds": median(written), "least": min(written), "flushed": median(flushed)}
        told[name]["gigabytes"] = max(most) / 1e6
    told["of a copy"] = {one: told["ours"][one] / told["copy"][one] for one in ("seconds", "least", "flushed")}
    trainer = find_trainer()
    words = [str(trainer.python), str(trainer.script("networks/merge_lora.py")), "--sd_model", str(CHECKPOINT)]
    words += ["--save_to", str(out), "--models", str(lora), "--ratios", "1.0"]
    words += ["--precision", "float", "--save_precision", "fp16"]
    seconds, memory = _watched(words, {"PYTHONPATH": str(trainer.checkout), "HF_HUB_OFFLINE": "1"})
    return told | {"script": {"seconds": seconds, "gigabytes": memory}}


def trainer_speed(folder: Path, steps: int = 150) -> dict[str, Any]:
    """Train the same with both: images a second after the first step, gigabytes at most."""
    trainers = (find_trainer("embedded"), with_nano(find_trainer(), folder / "tokenizers"))
    return {trainer.engine: _trained(trainer, folder, steps) for trainer in trainers}


def _trained(trainer: Installation, folder: Path, steps: int) -> dict[str, Any]:
    bench = Bench(Store(folder / trainer.engine), trainer, folder / "renders", (steps, steps))
    stage = bench.target(ARMS["naive"], target_of(0), 1)
    begun: dict[int, float] = {}
    memory = _peak(lambda: begun.update(_steps(stage, bench)))
    first, last = min(begun), max(begun)
    rate = (last - first) * stage.training.batch_size / (begun[last] - begun[first])
    return {"images a second": rate, "gigabytes": memory, "steps": steps}


def start_speed(folder: Path) -> dict[str, Any]:
    """Start both trainers on the nano, and sd-scripts on a full-size SD1.5: seconds of imports, and to the first step.

    Imports are those of the script, and of accelerate's launcher where it is used, each in a process of its own: a
    process that stood ready would save just these. What a model takes to load it would not save, for base and target
    differ in it.
    """
    full = Model("sd15", {"path": Source(CHECKPOINT, large_file_digest(CHECKPOINT))})
    told = {}
    for name, trainer, model in (
        ("embedded", find_trainer("embedded"), None),
        ("sd-scripts", with_nano(find_trainer(), folder / "tokenizers"), None),
        ("full size", find_trainer(), full),
    ):
        bench = Bench(Store(folder / "start" / name), trainer, folder / "renders", (2, 2))
        stage = bench.target(ARMS["naive"], target_of(0), 1)
        stage = replace(stage, model=model or stage.model)
        first = _steps(stage, bench)[1]
        script = trainer.script("train_network.py")
        load = f"import runpy, sys; sys.path.insert(0, {str(trainer.checkout)!r}); runpy.run_path({str(script)!r})"
        needed = [load, _LAUNCHER] if trainer.traits.NEEDS_LAUNCHER else [_EMBEDDED]
        imports = [_watched([str(trainer.python), "-c", words], {})[0] for words in needed]
        told[name] = {"imports": imports[0], "launcher": sum(imports[1:]), "first step": first}
    return told


def _steps(stage: TrainStage, bench: Bench) -> dict[int, float]:
    """Train, and give the seconds from the start to the end of each step."""
    command, start = _ready(stage, bench), time.monotonic()
    ended: dict[int, float] = {}
    for event in read_progress(stage.key, launch(command)):
        if step := getattr(event, "step", 0):
            ended.setdefault(step, time.monotonic() - start)
    return ended


def _ready(stage: TrainStage, bench: Bench) -> Any:
    images = bench.store.begin(stage.data.short, stage.data.identity())
    stage_images(stage.data, images)
    bench.store.keep(stage.data.short)
    bench.store.begin(stage.short, stage.identity())
    return train_command(stage, bench.trainer, bench.store)


def character_speed(folder: Path, steps: int = 20) -> dict[str, Any]:
    """Run 1, 3 and 10 characters on one base, and by hand; each way on a core of its own, at the same time.

    Expected is base + merge + N targets, by what these took by hand.
    """
    cores = sorted(os.sched_getaffinity(0))[:2]
    told = {}
    for count in (1, 3, 10):
        with ThreadPoolExecutor(2) as pool:
            ways = [
                pool.submit(way, folder / f"{way.__name__}-{count}", count, steps, core)
                for way, core in zip((_shared, _by_hand), cores)
            ]
            (shared, _), (by_hand, parts) = (way.result() for way in ways)
        expected = sum(parts) / count + by_hand - sum(parts)
        told[str(count)] = {"one base": shared, "by hand": by_hand, "ratio": shared / by_hand}
        told[str(count)]["expected"] = expected / by_hand
    return told


def _shared(folder: Path, count: int, steps: int, core: int) -> tuple[float, list[float]]:
    """As `lorarecipe run` does it; seconds."""
    os.sched_setaffinity(0, {core})
    bench, start = _bench(folder, steps), time.monotonic()
    for number in range(count):
        bench.train(bench.target(ARMS["five"], target_of(number), 1))
    return time.monotonic() - start, []


def _by_hand(folder: Path, count: int, steps: int, core: int) -> tuple[float, list[float]]:
    """Train, merge, train, for each character; seconds of all, and those until each target."""
    os.sched_setaffinity(0, {core})
    start, before = time.monotonic(), []
    for number in range(count):
        bench, begun = _bench(folder / str(number), steps), time.monotonic()
        target = bench.target(ARMS["five"], target_of(number), 1)
        merged = target.merged
        assert isinstance(merged, MergeStage)
        assert isinstance(merged.base, TrainStage)
        for stage in (merged.base, target):
            if stage is target:
                bench.store.begin(merged.short, merged.identity())
                merge_base(merged, merged.base.file(bench.store.path), merged.file(bench.store.attempt))
                bench.store.keep(merged.short)
                before.append(time.monotonic() - begun)
            for _ in launch(_ready(stage, bench)):
                pass
            bench.store.keep(stage.short)
    return time.monotonic() - start, before


def _bench(folder: Path, steps: int) -> Bench:
    return Bench(Store(folder / "store"), find_trainer("embedded"), folder / "renders", (steps, steps))


def _watched(words: list[str], env: dict[str, str]) -> tuple[float, float]:
    start = time.monotonic()
    memory = _peak(lambda: subprocess.run(words, check=True, env=os.environ | env, capture_output=True))
    return time.monotonic() - start, memory


def _peak(work: Callable[[], object]) -> float:
    """Work, and give the most memory that one process below this one has had meanwhile, in gigabytes."""
    most, ended = 0.0, threading.Event()

    def look() -> None:
        nonlocal most
        while not ended.wait(0.1):
            for child in psutil.Process().children(recursive=True):
                try:
                    most = max(most, child.memory_info().rss / 1e9)
                except psutil.NoSuchProcess:
                    continue

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        work()
    finally:
        ended.set()
        watcher.join()
    return most


PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "merge": merge_speed,
    "trainers": trainer_speed,
    "start": start_speed,
    "characters": character_speed,
}


def main(part: str, folder: Path) -> None:
    """Measure one part, and put it beside the others."""
    folder.mkdir(parents=True, exist_ok=True)
    path = RAW.parent / "speed.json"
    told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    told[part] = PARTS[part](folder) | {"machine": machine()}
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told[part], indent=1))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2] if len(sys.argv) > 2 else "out/speed").absolute())
