"""A two-phase run that takes half a minute, and what must be true once it has ended."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from lorarecipe.demo import NANO, render_all
from lorarecipe.store import Store
from lorarecipe.weights import Weights

_ROOT = Path(__file__).parent.parent.parent
#: how it was made: differs from run to run, and a stage that was resumed tells of its last part
_TOLD = {
    *("trainer.log", "made.json", "manifest.json", "accelerate.yaml", "dataset.toml", "prompts.txt", "run.json"),
    "ledger.json",
    *("report.html", "passport.json"),  # with times, and the digest of a LoRA that tells them
}

RECIPE = f"""\
format = 1
name = "aoi"

[checkpoint]
family = "sd15"
path = "{NANO}"

[[base.characters]]
images = "renders/red"
traits = ["red hair", "long hair", "blue dress"]

[[base.characters]]
images = "renders/green"
traits = ["green hair", "short hair", "yellow dress"]

[base.training]
rank = 4
alpha = 4
unet_lr = 1e-3
text_encoder_lr = 1e-4
epochs = 3
batch_size = 2
resolution = 64
buckets = false

[base.gate]
prompts = ["", "red hair"]
against = []
images = 1
steps = 2

[target]
images = "renders/honey"

[target.training]
rank = 2
alpha = 2
unet_lr = 1e-3
epochs = 4
batch_size = 2
resolution = 64
buckets = false
save_every_epochs = 2

[trainer]
engine = "embedded"
device = "cpu"

[samples]
prompts = ["1girl", "1girl, forest"]
weights = [1]
images = 1
steps = 2

[rules]
SET005 = {{ severity = "ignore", reason = "two characters are enough for a test" }}
SET006 = {{ severity = "ignore", reason = "and this world has one body" }}
SET007 = {{ severity = "ignore", reason = "each with a hairstyle of its own" }}
SET009 = {{ severity = "ignore", reason = "and few colours" }}
SET010 = {{ severity = "ignore", reason = "of which the target's is none" }}
"""


@dataclass(frozen=True)
class World:
    """An author's folder with a recipe, a home and an out folder of its own."""

    root: Path

    @classmethod
    def made(cls, root: Path) -> World:
        """Write the author's files."""
        render_all(root / "renders")
        for image in root.glob("renders/*/*.png"):
            os.utime(image, (1.6e9, 1.6e9))  # old enough that what is measured of them is remembered
        (root / "aoi.toml").write_text(RECIPE, encoding="utf-8")
        return cls(root)

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def store(self) -> Store:
        return Store(self.home / "store")

    def copy(self, root: Path) -> World:
        """Give another author the same files, and a copy of all that was made."""
        shutil.copytree(self.root, root)
        return World(root)

    def start(self, *driver: str) -> subprocess.Popen[bytes]:
        """Start a run, in a process group of its own; ``driver`` is a log, a point, and days."""
        how = ["tests.faults.driver", str(self.root), *driver] if driver else ["lorarecipe"]
        environment = os.environ | {"LORARECIPE_HOME": str(self.home), "PYTHONPATH": str(_ROOT)}
        with (self.root / "events").open("ab") as events, (self.root / "errors").open("ab") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", *how, "run", "aoi.toml", "--json"],
                cwd=self.root,
                env=environment | {"HF_TOKEN": "hf_canary"},
                stdout=events,
                stderr=errors,
                start_new_session=True,
            )

    def run(self, *driver: str) -> int:
        """Run to the end."""
        return self.start(*driver).wait(600)

    def results(self) -> dict[str, str]:
        """Digest of every file of the store and the out folder that is a result: of weights, their numbers."""
        found = {}
        for path in self._files():
            name = path.relative_to(self.root).as_posix()
            if path.suffix == ".safetensors" and not name.startswith("home/store/making"):
                weights = Weights(path)
                numbers = b"".join(n.encode() + weights.read(n).tobytes() for n in sorted(weights.names))
                found[name] = hashlib.sha256(numbers).hexdigest()
            elif path.name not in _TOLD and ".tfevents." not in path.name:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def _files(self) -> Iterator[Path]:
        folders = (self.home / "store", self.out, self.root / "renders")
        paths = (path for folder in folders for path in folder.rglob("*") if path.is_file())
        yield from (path for path in paths if path.parent.name != "locks")

    def faults(self, wanted: dict[str, str]) -> list[str]:
        """Say what is not as after an undisturbed run."""
        found = self.results()
        unlike = sorted(name for name in found.keys() | wanted.keys() if found.get(name) != wanted.get(name))
        told = [f"{name}: {_differ(found.get(name), wanted.get(name))}" for name in unlike]
        told += [f"{name}: damaged {lost}" for name in self.store.names() for lost in self.store.damaged_files(name)]
        told += [f"{path}: left over" for path in self.root.rglob("*") if path.name.endswith(".part")]
        told += [f"{process.pid}: still alive" for process in processes_of(self.root)]
        last = max(self.home.glob("runs/*/ledger.json"))
        told += [f"{last}: not finished"] if json.loads(last.read_text("utf-8"))["state"] != "finished" else []
        files = (path for path in self.root.rglob("*") if path.is_file())
        told += [f"{path}: holds a token" for path in files if b"hf_canary" in path.read_bytes()]
        return told


def _differ(found: str | None, wanted: str | None) -> str:
    return "missing" if found is None else "not there in an undisturbed run" if wanted is None else "other content"


def processes_of(root: Path) -> list[psutil.Process]:
    """Find the processes that work in a folder; corpses do not count."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(root) in word for word in process.cmdline()) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(running: subprocess.Popen[bytes]) -> None:
    """Kill a process group, as a power cut would, and see its children die."""
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    time.sleep(0.05)
