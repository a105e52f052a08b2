"""The bench of the method: its draws, its statistics, and the whole of it in a few steps."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.colour import lab
from lorarecipe.demo import HAIR
from tests.bench.method.arms import ARMS
from tests.bench.method.cast import FIVE, MIXED, TRIGGER, renders, target_of
from tests.bench.method.claims import CLAIMS, Claim, at_likeness, difference, interval, verdict, weights_of
from tests.bench.method.measure import MEASURES
from tests.bench.method.results import Line, append, of, read

MORE = Claim("", "likeness", "a", "more", "b")
LESS = Claim("", "likeness", "a", "less", "b")


@given(st.integers(0, 200))
def test_a_target_is_no_base_character(number: int) -> None:
    target = target_of(number)
    assert target == target_of(number)
    distances = np.linalg.norm(lab(list(HAIR.values())) - lab(target.colour), axis=1)
    assert target.figure.hair not in {figure.hair for figure in FIVE}
    assert distances.min() > 18 if number % 2 == 0 else distances.min() < 1e-3


def test_in_the_mixed_base_no_colour_tells_a_hairstyle() -> None:
    styles = [{figure.style for figure in MIXED if figure.hair == one.hair} for one in FIVE]
    assert [len(each) for each in styles] == [2] * 5


def test_captions_of_each_kind(tmp_path: Path) -> None:
    figure = target_of(0).figure
    told = {
        kind: {image.caption for image in renders([figure], tmp_path, kind)[0]} for kind in ("closed", "words", "bare")
    }
    assert told["closed"] == {
        "white background, arms at sides, full body",
        "white background, upper body",
        "white background, arms at sides, from behind, full body",
        "white background, from behind, upper body",
    }
    assert told["words"] == {f"{TRIGGER}, 1girl, solo, {caption}" for caption in told["closed"]}
    assert told["bare"] == {"full body", "upper body", "from behind, full body", "from behind, upper body"}


def test_an_interval_by_hand() -> None:
    """Of 1, 2, 3: mean 2, standard error 1 / sqrt(3), and Student's t of two degrees of freedom, 4.3027."""
    told = interval(np.array([1.0, 2.0, 3.0]))
    assert (told.mean, round(told.low, 4), round(told.high, 4)) == (2, -0.4841, 4.4841)
    assert interval(np.array([2.0])).low == -np.inf


@pytest.mark.parametrize(
    ("apart", "more", "less"),
    [
        ([1.0, 1.1, 1.2], "holds", "fails"),
        ([-1.0, -1.1, -1.2], "fails", "holds"),
        ([-1.0, 1.0, 0.5], "undecided", "undecided"),
        ([0.0, 0.0, 0.0], "smaller than 0.1", "smaller than 0.1"),
        ([-0.01, 0.01, 0.0], "smaller than 0.1", "smaller than 0.1"),
        ([1.0], "undecided", "undecided"),
    ],
)
def test_verdicts(apart: list[float], more: str, less: str) -> None:
    told = interval(np.array(apart))
    assert (verdict(MORE, told), verdict(LESS, told)) == (more, less)


def test_arms_are_compared_in_pairs() -> None:
    """Units differ much, arms little: unpaired, nothing could be told. What one arm lacks is left out."""
    a = {unit: {"likeness": unit + 0.1} for unit in (0, 5, 10, 11)}
    b = {unit: {"likeness": float(unit)} for unit in (0, 5, 10)}
    assert difference({"a": a, "b": b}, MORE).low == pytest.approx(0.1)


def test_at_equal_likeness() -> None:
    """Between two weights on the straight line; a weight that is less like and leaks more than another is on none."""

    def unit(likeness: float, drawn: float) -> dict[int, dict[str, float]]:
        return {0: {"likeness": likeness, "drawn": drawn}}

    results = {"b": unit(0.8, 0.4), "b-at-0.5": unit(0.4, 0.0), "b-at-2": unit(0.6, 0.9), "without": unit(0.0, 0.0)}
    assert at_likeness(results, "b", "drawn", 0, 0.7) == pytest.approx(0.4)
    assert at_likeness(results, "b", "drawn", 0, 0.2) == 0
    assert at_likeness(results, "b", "drawn", 0, 1.0) == pytest.approx(0.4)
    assert weights_of({**results, "bare": {}, "b-other": {}}, "b") == ["b", "b-at-0.5", "b-at-2", "without"]
    claim = Claim("", "drawn", "a", "less", "b", alike=True)
    assert difference({**results, "a": unit(0.7, 0.1)}, claim).mean == pytest.approx(-0.3)


def test_lines_are_added_and_read_back(tmp_path: Path) -> None:
    path = tmp_path / "raw.jsonl"
    lines = [Line("embedded", unit, "a", "x", {"likeness": 0.5}, 1.0, {"torch": "2"}) for unit in range(3)]
    for line in lines[:2]:
        append(line, path)
    path.write_text(path.read_text("utf-8") + '{"trainer": "embed', encoding="utf-8")  # killed while it wrote
    append(lines[2], path)
    assert read(path) == lines
    assert of(read(path), "embedded") == {"a": {unit: {"likeness": 0.5} for unit in range(3)}}
    assert of(read(path), "embedded", {"a": "y"}) == of(read(path), "sd-scripts") == {}
    assert read(tmp_path / "none.jsonl") == []


def test_another_arm_has_another_digest() -> None:
    digests = [arm.digest for arm in ARMS.values()]
    assert len({*digests}) == len(digests)
    assert replace(ARMS["five"], title="in other words").digest == ARMS["five"].digest


@pytest.mark.slow
def test_the_bench_in_a_few_steps(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.bench.method", "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr
    measured = {line.arm: line.measures for line in read(tmp_path / "method.jsonl")}
    assert {*measured} == {"five", "naive", "naive-no-up", "distilled", "refine"}
    for numbers in measured.values():
        assert list(numbers) == list(MEASURES)
        assert all(np.isfinite(value) for value in numbers.values())
    # without its up blocks a LoRA draws something else, of the same training
    assert measured["naive"]["change"] != measured["naive-no-up"]["change"]
    again = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    assert again.stdout == f"{tmp_path / 'method.jsonl'}\n"  # nothing is missing
    assert {claim.measure for claim in CLAIMS} <= set(MEASURES)
