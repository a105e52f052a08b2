from __future__ import annotations

import numpy as np
import pytest

from lorarecipe.dataset.outline import Outline, outline_of
from lorarecipe.dataset.silhouette import Mask, Silhouette, silhouette_by_alpha


def _figure(*bars: tuple[int, int, int, int], height: int = 96, width: int = 96) -> Mask:
    """A trunk with a head and legs, and bars besides: top, bottom, left, right."""
    mask = np.zeros((height, width), bool)
    for top, bottom, left, right in ((4, 16, 42, 54), (16, 92, 40, 56), *bars):
        mask[top:bottom, left:right] = True
    return mask


def _shape(mask: Mask) -> Silhouette:
    return silhouette_by_alpha(np.where(mask, 255, 0).astype(np.uint8))


_ARMS = ((20, 25, 8, 40), (20, 25, 56, 88))
_WINGS = ((20, 48, 8, 40), (20, 48, 56, 88))


def test_stretched_arms_are_long_and_slender() -> None:
    stretched, winged, plain = (outline_of(_shape(_figure(*bars))).limbs for bars in (_ARMS, _WINGS, ()))
    assert stretched
    assert winged
    assert plain
    assert stretched[0] == winged[0] == pytest.approx(32 / 88, abs=0.001)
    assert stretched[1] == pytest.approx(5 / 32, abs=0.02)
    assert winged[1] == pytest.approx(28 / 32, abs=0.02)
    assert plain[0] < 0.05
    one_arm = outline_of(_shape(_figure(_ARMS[0]))).limbs
    assert one_arm
    assert one_arm[0] < 0.05


def test_the_width_at_the_hands() -> None:
    assert outline_of(_shape(_figure())).hands == pytest.approx(16 / 88, abs=0.001)
    assert outline_of(_shape(_figure((60, 64, 10, 86)))).hands == pytest.approx(76 / 88, abs=0.001)
    assert outline_of(_shape(_figure(*_ARMS))).hands == pytest.approx(16 / 88, abs=0.001)


def test_nothing_is_measured_of_nothing() -> None:
    empty = _shape(np.zeros((20, 20), bool))
    assert outline_of(empty) == Outline()


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 50)])
def test_any_size(size: tuple[int, int]) -> None:
    outline = outline_of(_shape(np.ones(size, bool)))
    assert len(outline.widths) == 96
    assert outline.hands >= 0
