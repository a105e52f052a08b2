"""What the outline of a figure tells: limbs, and how wide it is from its top to its lower end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lorarecipe.dataset.silhouette import Silhouette

#: rows between the chin and the thighs, in heights of the figure, where arms are looked for; those of hanging hands
_ARMS, _HANDS = (0.10, 0.68), (0.50, 0.72)
#: share of the rows that the trunk reaches no farther in
_TRUNK = 0.3
#: of the way from the trunk to the farthest point: what lies beyond it is the end of a limb
_END = 0.6
#: rows in which widths are remembered; widths are multiples of this share of a figure's height
WIDTHS, WIDTH_STEP = 48, 1 / 96


@dataclass(frozen=True)
class Outline:
    """Measures of a figure's outline; see ``outline_of``."""

    limbs: tuple[float, float] | None = None
    """Of the side where it is less: how much farther than the trunk the figure reaches, in its heights. Of the side
    where it is more: rows of the outer end over that length; a stretched arm has less than 0.6."""
    span: float = 0.0
    """Widest row between the neck and the hips, in heights of the figure."""
    hands: float = 0.0
    """Widest row at the height of hanging hands, in heights of the figure."""
    widths: str = ""
    """Its width in 48 rows from its top to its lower end, two hexadecimal digits each, in 96ths of its height."""


def outline_of(shape: Silhouette) -> Outline:
    """Measure how far each row of a figure reaches to the left and to the right."""
    if not (box := shape.box):
        return Outline()
    rows = shape.figure[box[1] : box[3]]
    height = len(rows)
    left = rows.argmax(axis=1).astype(np.float64)
    right = rows.shape[1] - rows[:, ::-1].argmax(axis=1).astype(np.float64)
    empty = ~rows.any(axis=1)  # between two parts
    left[empty] = right[empty] = (box[0] + box[2]) / 2
    wide = right - left
    at = (np.arange(WIDTHS) + 0.5) / WIDTHS * height - 0.5
    steps = np.minimum(np.rint(np.interp(at, np.arange(height), wide) / height / WIDTH_STEP), 255)
    low, high = (round(part * height) for part in _HANDS)
    return Outline(
        _limbs(left, right),
        round(float(wide[height // 8 : max(height * 5 // 8, 1)].max(initial=0) / height), 4),
        round(float(wide[low : max(high, low + 1)].max(initial=0) / height), 4),
        steps.astype(np.uint8).tobytes().hex(),
    )


def _limbs(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    height = len(left)
    first, last = (round(part * height) for part in _ARMS)
    if last <= first:
        return None
    middle = float(np.median((left + right)[height // 2 :])) / 2
    lengths, ratios = [], []
    for reach in (middle - left, right - middle):
        below = np.sort(reach[first:])
        trunk = float(below[round(_TRUNK * (len(below) - 1))])
        length = max(float(reach[first:last].max()) - trunk, 1.0)
        lengths.append(length / height)
        ratios.append(np.count_nonzero(reach >= trunk + _END * length) / length)
    return round(min(lengths), 4), round(float(max(ratios)), 4)
