"""How long ``lorarecipe check`` takes on many renders, beside the bare decoding of the same files.

Usage: python -m tests.bench.check [IMAGES]

Prints, for renders of 1024 pixels: the floor (Pillow decodes each file, a thread for each core), a first check, a second
one with nothing changed, and the memory of both at a tenth of the images and at all of them. Each is measured twice, in
turns, and the lesser counts: on a shared machine the same work takes longer at one moment than at another.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import tomli_w
from PIL import Image

from lorarecipe.demo import Figure, draw
from lorarecipe.demo.world import STYLES
from tests.breaks import HAIR as CAST
from tests.conftest import tiny_checkpoint
from tests.renders import caption

_SIDE, _TURNS = 1024, 2
_SHOTS = {"full_front": "front", "full_back": "from behind", "upper_front": "front", "upper_back": "from behind"}


def _render(path: Path, name: str, number: int) -> None:
    """Draw a figure of the character's hair at a place and size of its own."""
    dice = random.Random(number)
    shot = dice.choice(list(_SHOTS))
    zoom = "full body" if shot.startswith("full") else "upper body"
    hair = CAST[name][0] if name in CAST else (222, 170, 84)
    drawn = draw(Figure(hair, dice.choice(STYLES), view=_SHOTS[shot], zoom=zoom), "3d", dice.randint(600, _SIDE))
    page = Image.new("RGB", (_SIDE, _SIDE), "white")
    page.paste(drawn, ((_SIDE - drawn.width) // 2 + dice.randint(-40, 40), _SIDE - drawn.height))
    page.save(path, compress_level=1)
    traits = CAST.get(name)
    path.with_suffix(".txt").write_text(caption(shot, traits) + "\n", encoding="utf-8")


def _make(folder: Path, count: int) -> None:
    names = [*CAST, "aoi"]
    with ProcessPoolExecutor() as pool:
        tasks = []
        for number in range(count):
            name = names[number % len(names)]
            (folder / name).mkdir(parents=True, exist_ok=True)
            tasks.append(pool.submit(_render, folder / name / f"{number:05}.png", name, number))
        for task in tasks:
            task.result()
    tiny_checkpoint(folder / "checkpoint.safetensors")
    training = {"rank": 4, "alpha": 4, "unet_lr": 1e-3, "epochs": 1, "resolution": 512}
    base = [{"images": name, "traits": list(traits)} for name, traits in CAST.items()]
    recipe = {
        "format": 1,
        "name": "aoi",
        "checkpoint": {"family": "sd15", "path": "checkpoint.safetensors"},
        "base": {"characters": base, "training": training},
        "target": {"images": "aoi", "training": training},
    }
    (folder / "recipe.toml").write_text(tomli_w.dumps(recipe), encoding="utf-8")


def _decode(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def _floor(folder: Path) -> float:
    start = time.perf_counter()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(_decode, folder.glob("*/*.png")):
            pass
    return time.perf_counter() - start


_MEASURE = """
import resource, subprocess, sys, json
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
print(json.dumps([resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.stdout.splitlines()[-1:], done.stderr]))
"""


def _check(folder: Path, home: Path) -> tuple[float, float, str]:
    """Seconds, megabytes and the last line."""
    command = [sys.executable, "-c", _MEASURE, sys.executable, "-m", "lorarecipe", "check", str(folder / "recipe.toml")]
    start = time.perf_counter()
    done = subprocess.run(
        command, env=os.environ | {"LORARECIPE_HOME": str(home)}, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - start
    kilobytes, last, errors = json.loads(done.stdout)
    return seconds, kilobytes / 1024, " ".join(last) + errors


def main(count: int) -> None:
    """Make the renders, and measure."""
    with tempfile.TemporaryDirectory() as name:
        for number in (count // 10, count):
            folder = Path(name) / str(number)
            _make(folder, number)
            time.sleep(3)  # what is younger than two seconds is not remembered
            floors, colds, warms = [], [], []
            for turn in range(_TURNS):
                home = Path(name) / f"home-{number}-{turn}"
                floors.append(_floor(folder))
                colds.append(_check(folder, home))
                warms.append(_check(folder, home))
            floor, (cold, cold_memory, told), (warm, warm_memory, _) = min(floors), min(colds), min(warms)
            print(f"{number} images of {_SIDE} px: {told}")
            print(f"  decoding alone {floor:.1f} s ({floor / number * 1000:.1f} ms an image)")
            print(f"  first check    {cold:.1f} s, {cold / floor:.2f} times that, {cold_memory:.0f} MB at most")
            print(f"  second check   {warm:.2f} s, {warm_memory:.0f} MB at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
