from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.colour import lab


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((128, 128, 128), (53.59, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_known_colours(colour: tuple[int, int, int], expected: tuple[float, float, float]) -> None:
    """Published values (Lindbloom's calculator, D65)."""
    assert lab(colour) == pytest.approx(expected, abs=0.1)


@given(st.integers(0, 255))
def test_grey_has_no_colour(level: int) -> None:
    assert np.abs(lab((level, level, level))[1:]).max() < 0.01


def test_a_picture_keeps_its_shape() -> None:
    picture = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    assert lab(picture).shape == (4, 5, 3)
    assert lab(picture)[1, 2] == pytest.approx(lab(picture[1, 2]), abs=1e-3)
