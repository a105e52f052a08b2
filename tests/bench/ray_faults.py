"""One base and several characters on a Ray cluster of two nodes, of which a worker, a node and the driver are killed.

Usage: python -m tests.bench.ray_faults [CHARACTERS]

The cluster is Ray's own for tests: its nodes are processes of this machine, with one CPU each, so that two stages are
made at a time. First the run is made by one process, for what must come out. Then a run on the cluster loses the process
of the first training, later a node, and at last its driver; the same command ends it. It is said how long each took,
and that the numbers of all LoRAs are equal, that each training was finished once, and that no trainer outlived its worker.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from lorarecipe.demo import render_all
from lorarecipe.weights import Weights
from tests.faults.world import RECIPE, kill, processes_of

_ROOT = Path(__file__).parent.parent.parent
_GATE = 'prompts = ["", "red hair"]\nagainst = []\nimages = 1\nsteps = 2\n'
_SAMPLES = 'prompts = ["1girl", "1girl, forest"]\n'
_SECONDS = 600


@dataclass(frozen=True)
class World:
    """An author's folder, with a home for each way of running."""

    root: Path
    characters: int

    @classmethod
    def made(cls, root: Path, characters: int) -> World:
        """Write the recipes: characters on one base, each with a seed of its own."""
        render_all(root / "renders")
        text = RECIPE.replace(_GATE, 'mode = "off"\n').replace(_SAMPLES, 'prompts = ["1girl"]\n')
        # long enough that a fault finds a training under way: two to four steps an epoch
        text = text.replace("epochs = 4\n", "epochs = 24\n").replace("every_epochs = 2\n", "every_epochs = 6\n")
        text = text.replace("epochs = 3\n", "epochs = 12\n")
        for number in range(characters):
            own = text.replace('name = "aoi"', f'name = "c{number}"').replace(
                "[target.training]", f"[target.training]\nseed = {number}"
            )
            (root / f"c{number}.toml").write_text(own, encoding="utf-8")
        return cls(root, characters)

    def environment(self, home: str) -> dict[str, str]:
        """Give what a process of this home has."""
        return os.environ | {"LORARECIPE_HOME": str(self.root / home), "PYTHONPATH": str(_ROOT)}

    def start(self, home: str, *words: str) -> subprocess.Popen[bytes]:
        """Start a run; its events are added to a file."""
        recipes = [f"c{number}.toml" for number in range(self.characters)]
        out = ("--json", "--out", str(self.root / home / "out"))
        self.events_of(home).parent.mkdir(exist_ok=True)
        with self.events_of(home).open("ab") as events:
            return subprocess.Popen(
                [sys.executable, "-m", "lorarecipe", "run", *recipes, *out, *words],
                cwd=self.root,
                env=self.environment(home),
                stdout=events,
                start_new_session=True,
            )

    def events_of(self, home: str) -> Path:
        """File of a home's events."""
        return self.root / home / "events"

    def events(self, home: str) -> list[dict[str, Any]]:
        """Give all whole lines of a home's events."""
        lines = self.events_of(home).read_text("utf-8").split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def numbers(self, home: str) -> dict[str, bytes]:
        """Give the numbers of every LoRA of the results."""
        found = {}
        for path in sorted((self.root / home / "out").rglob("*.safetensors")):
            weights = Weights(path)
            found[path.name] = b"".join(name.encode() + weights.read(name).tobytes() for name in sorted(weights.names))
        return found

    def wait_for_training(self, home: str, running: subprocess.Popen[bytes], earlier: int) -> int:
        """Wait until a training has taken a step after so many events, and has not ended; give how many events there are."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            events = self.events(home)
            training = set[str]()
            for event in events[earlier:]:
                if event["event"] == "progress" and event["step"]:
                    training.add(event["key"])
                elif event["event"] in {"finished", "failed", "paused"}:
                    training.discard(event["key"])
            if training:
                return len(events)
            assert running.poll() is None, "the run ended before a training was seen"
            time.sleep(0.05)
        raise AssertionError("no training took a step")


@contextmanager
def cluster_of_two(world: World, home: str) -> Iterator[tuple[Any, Any]]:
    """Start a cluster of two nodes, and give it with its second node."""
    environment = {**os.environ}
    os.environ |= world.environment(home) | {"RAY_USAGE_STATS_ENABLED": "0"}
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    relaxed = {"health_check_initial_delay_ms": 30_000, "health_check_timeout_ms": 30_000}
    cluster = Cluster(initialize_head=True, head_node_args={**node, "_system_config": relaxed})
    try:
        yield cluster, cluster.add_node(**node)
    finally:
        cluster.shutdown()
        os.environ.clear()
        os.environ.update(environment)


def trainers(world: World) -> list[psutil.Process]:
    """Give the processes that train here, whoever started them."""
    return [
        p
        for p in processes_of(world.root)
        if "lorarecipe.trainer" in " ".join(p.cmdline()) or "guard.py" in " ".join(p.cmdline())
    ]


def worker_of(trainer: psutil.Process) -> psutil.Process:
    """Give the process of Ray's that started a trainer."""
    return next(p for p in trainer.parents() if p.name().startswith("ray::"))


def gone(processes: list[psutil.Process], seconds: float = 30) -> None:
    """See processes end."""
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    assert not alive, alive


def faults(world: World, home: str) -> Counter[str]:
    """Lose a worker, a node and the driver, and run again; give what was said of trainings, counted."""
    with cluster_of_two(world, home) as (cluster, second):
        words = ("--ray", cluster.address)
        running = world.start(home, *words)
        seen = world.wait_for_training(home, running, 0)
        training = trainers(world)
        worker_of(training[0]).kill()
        gone(training)
        print("a worker was killed, and its trainer ended", flush=True)
        seen = world.wait_for_training(home, running, seen)
        while not any(e["event"] == "finished" and e["kind"] == "train" for e in world.events(home)):
            time.sleep(0.1)
        seen = world.wait_for_training(home, running, seen)
        cluster.remove_node(second, allow_graceful=False)
        print("a node was killed", flush=True)
        cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        seen = world.wait_for_training(home, running, seen)
        training = trainers(world)
        kill(running)
        gone(training)
        print("the driver was killed, and its trainers ended", flush=True)
        assert world.start(home, *words).wait(_SECONDS) == 0
    told = world.events(home)
    return Counter(e["event"] for e in told if e.get("kind") == "train")


def main(characters: str = "10") -> None:
    """Print what is found."""
    with tempfile.TemporaryDirectory() as name:
        world = World.made(Path(name), int(characters))
        start = time.monotonic()
        assert world.start("one", "--jobs", "1").wait(_SECONDS) == 0
        print(f"one base and {characters} characters by one process: {time.monotonic() - start:.0f} s", flush=True)
        start = time.monotonic()
        told = faults(world, "cluster")
        print(f"on the cluster, with three faults: {time.monotonic() - start:.0f} s; of trainings: {dict(told)}")
        assert_as_undisturbed(world, "one", "cluster")
        print("all LoRAs are equal, and each training was finished once")


def assert_as_undisturbed(world: World, one: str, other: str) -> None:
    """Compare two homes: the same numbers, and no training finished twice."""
    assert world.numbers(one)
    assert world.numbers(one) == world.numbers(other)
    finished = [e["key"] for e in world.events(other) if e["event"] == "finished" and e["kind"] == "train"]
    assert len(finished) == len({*finished}), "a training was made twice"


if __name__ == "__main__":
    main(*sys.argv[1:])
