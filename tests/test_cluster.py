"""Runs on Ray: what goes through it, and what is refused."""

from __future__ import annotations

import pickle
import socket
import subprocess
import sys
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
