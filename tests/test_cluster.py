"""Runs on Ray: what goes through it, and a run on two nodes that loses a worker and is stopped."""

from __future__ import annotations

import pickle
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lorarecipe.cluster import connection, on_cluster
from lorarecipe.cluster.task import Facts, Problem
from lorarecipe.cluster.worker import _unlike
from lorarecipe.dataset import scan
from lorarecipe.errors import CheckFailed, LorarecipeError, MachineNotReady, TrainingFailed
from lorarecipe.plan import Plan, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.store import Store
from tests.bench.ray_faults import World, assert_as_undisturbed, cluster_of_two, gone, trainers, worker_of


@pytest.fixture
def plan(folder: Path) -> Plan:
    return compile_plan([check(scan(load(folder / "recipe.toml")))])


def test_a_stage_is_the_same_after_its_way_through_ray(plan: Plan) -> None:
    for stage in plan.stages:
        there = pickle.loads(pickle.dumps(stage))
        assert there == stage
        assert there.identity() == stage.identity()


@pytest.mark.parametrize("problem", [CheckFailed("a"), MachineNotReady("b"), TrainingFailed("c\nd")])
def test_a_problem_is_the_same_after_its_way_through_ray(problem: LorarecipeError) -> None:
    there = Problem(problem.exit_code, str(problem)).error()
    assert type(there) is type(problem)
    assert str(there) == str(problem)


def test_a_missing_ray_is_told_with_what_installs_it(plan: Plan, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "find_spec", lambda name: None)
    with (
        pytest.raises(MachineNotReady, match=r"pip install 'lorarecipe\[ray\]'"),
        on_cluster("local", plan, store),
    ):
        pass


def test_an_address_where_nobody_listens_is_told_before_ray_is_asked(plan: Plan, store: Store) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(MachineNotReady, match=f"{address}: no Ray cluster"), on_cluster(address, plan, store):
            pass


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("ModuleNotFoundError: no lorarecipe", "no lorarecipe; install lorarecipe"),
        (Facts("0.0.1", "/home/a", shares=True), "found lorarecipe 0.0.1"),
        (Facts("0.1.0", "/home/a", shares=False), "LORARECIPE_HOME is /home/a there"),
    ],
)
def test_a_machine_that_differs_is_named(found: Facts | str, told: str) -> None:
    (fault,) = _unlike("10.0.0.7", found)
    assert fault.startswith("10.0.0.7: ")
    assert told in fault


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--ray", "head"), 2, "expected HOST:PORT of a Ray cluster, or local"),
        (("--ray", "local", "--devices", "0"), 2, "Ray itself gives each stage its GPUs"),
    ],
)
def test_wrong_words_are_refused(folder: Path, words: tuple[str, ...], code: int, told: str) -> None:
    argv = [sys.executable, "-m", "lorarecipe", "run", str(folder / "recipe.toml"), *words]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.returncode == code
    assert told in done.stderr


@pytest.mark.slow
def test_a_run_that_loses_a_worker_and_is_stopped_ends_as_one_that_is_not(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="there is no Ray for this release of Python")
    world = World.made(tmp_path, 1)
    assert world.start("one", "--jobs", "1").wait(300) == 0
    with cluster_of_two(world, "cluster") as (cluster, _):
        running = world.start("cluster", "--ray", cluster.address)
        seen = world.wait_for_training("cluster", running, 0)
        training = trainers(world)
        worker_of(training[0]).kill()
        gone(training)
        world.wait_for_training("cluster", running, seen)
        running.terminate()
        assert running.wait(120) == 128 + signal.SIGTERM
        assert "paused" in {event["event"] for event in world.events("cluster")}
        deadline = time.monotonic() + 30
        while trainers(world):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert world.start("cluster", "--ray", cluster.address).wait(300) == 0
    assert_as_undisturbed(world, "one", "cluster")
    events = world.events("cluster")
    assert ["lost" in event["message"] for event in events if event["event"] == "failed"] == [True]
    assert any(event["event"] == "started" and "goes on after" in event["why"] for event in events)
