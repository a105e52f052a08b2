"""The bench of the method: its draws, its statistics, and the whole of it in a few steps."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.colour import lab
from lorarecipe.demo import HAIR
from tests.bench.method.cast import FIVE, MIXED, TRIGGER, renders, target_of
from tests.bench.method.claims import CLAIMS, Claim, difference, interval, verdict
from tests.bench.method.measure import MEASURES

MORE = Claim("", "", "", "more", "")
LESS = Claim("", "", "", "less", "")


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
        ([-1.0, 1.0, 0.5], "not told", "not told"),
        ([0.0, 0.0, 0.0], "not told", "not told"),
        ([1.0], "not told", "not told"),
    ],
)
def test_verdicts(apart: list[float], more: str, less: str) -> None:
    told = interval(np.array(apart))
    assert (verdict(MORE, told), verdict(LESS, told)) == (more, less)


def test_arms_are_compared_in_pairs() -> None:
    """Units differ much, arms little: unpaired, nothing could be told."""
    units = [{"arms": {"a": {"x": unit + 0.1}, "b": {"x": unit}}} for unit in (0.0, 5.0, 10.0)]
    told = difference({"units": units}, "a", "b", "x")
    assert told.low == pytest.approx(0.1)


@pytest.mark.slow
def test_the_bench_in_a_few_steps(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tests.bench.method", "--quick", "--folder", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "method.json").read_text("utf-8"))
    assert told["steps"] == {"base": 8, "target": 8}
    assert len(told["commit"]) == 40
    [unit] = told["units"]
    assert list(unit["arms"]) == ["five", "naive", "naive-no-up", "distilled"]
    for measured in unit["arms"].values():
        assert list(measured) == list(MEASURES)
        assert all(np.isfinite(value) for value in measured.values())
    # without its up blocks a LoRA draws something else, of the same training
    assert unit["arms"]["naive"]["change"] != unit["arms"]["naive-no-up"]["change"]
    assert {claim.measure for claim in CLAIMS} <= set(MEASURES)
