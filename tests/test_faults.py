"""The part of ``python -m tests.faults`` that fits into the suite."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.faults.harness import (
    Outcome,
    crowd,
    damage,
    files_to_damage,
    kill_at_points,
    kill_at_times,
    points_of,
    set_clock,
)
from tests.faults.world import World

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills process groups, and reads /proc")


@pytest.fixture(scope="module")
def wanted(whole: World) -> dict[str, str]:
    return whole.results()


def _points(whole: World) -> list[str]:
    return points_of(whole.root.parent / "points")


def _nothing_lost(outcome: Outcome) -> None:
    assert (outcome.lost, outcome.unhit) == ([], [])


def test_every_file_operation_is_known(whole: World, snapshot: SnapshotAssertion) -> None:
    """A new one is to be seen by a person: is a run that is killed before it as good as one that is not?"""
    assert "\n".join(sorted(_points(whole))) == snapshot


def test_killed_at_file_operations(whole: World, wanted: dict[str, str], tmp_path: Path) -> None:
    moves = [point for point in _points(whole) if " rename " in point and "/store/" in point and ".part" not in point]
    begins = [point for point in _points(whole) if point.startswith("process.launch open")]
    chosen = [point for point in _points(whole) if point in {*moves, *begins}]
    outcome = kill_at_points(World.made(tmp_path / "world"), chosen, wanted)
    _nothing_lost(outcome)
    assert outcome.counts["killed at a file operation"] == len(chosen) > 8


def test_killed_at_moments(wanted: dict[str, str], tmp_path: Path) -> None:
    outcome = kill_at_times(World.made(tmp_path / "world"), 6, seed=9, wanted=wanted)
    _nothing_lost(outcome)
    assert outcome.counts["killed at a moment"] == 6


def test_damaged_files(whole: World, wanted: dict[str, str], tmp_path: Path) -> None:
    """The data stage's, and those that no stage is made anew for."""
    world = whole.copy(tmp_path / "world")
    files = [name for name in files_to_damage(world) if not name.startswith("home/store") or "/data-" in name]
    outcome = damage(world, files, wanted)
    _nothing_lost(outcome)
    assert outcome.counts["files damaged"] == 2 * len(files) > 20


def test_a_clock_that_is_set_back_and_on(wanted: dict[str, str], tmp_path: Path) -> None:
    _nothing_lost(set_clock(World.made(tmp_path / "world"), wanted))


def test_eight_at_once(wanted: dict[str, str], tmp_path: Path) -> None:
    _nothing_lost(crowd(World.made(tmp_path / "world"), 8, wanted))
