"""What the outline of a figure tells: limbs, and how wide it is from its top to its lower end."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lorarecipe.dataset.silhouette import Silhouette

#: rows between the chin and the thighs, in heights of the figure, where arms are looked for; those of hanging hands
_ARMS, _HANDS = (0.10, 0.68), (0.50, 0.72)
#: of the way from the trunk to the farthest point: what lies beyond it is the end of a limb
_END = 0.6
#: rows in which widths are remembered; widths are multiples of this share of a figure's height
WIDTHS, WIDTH_STEP = 48, 1 / 96


def limbs(shape: Silhouette) -> tuple[float, float] | None:
    """Measure how far limbs stretch to both sides, and how thick they are.

    Returns
    -------
    tuple of float
        Of the side where it is less: how much farther than the trunk the figure reaches, in its heights. Of the side
        where it is more: rows of the outer end over that length; a stretched arm has less than 0.6.
    """
    if not (box := shape.box):
        return None
    ends = _ends(shape)
    height, rows = box[3] - box[1], slice(*(round(part * (box[3] - box[1])) for part in _ARMS))
    if not np.isfinite(ends[rows]).any() or not np.isfinite(ends[height // 2 :]).any():
        return None
    middle = np.nanmedian(ends[height // 2 :].mean(axis=1))
    lengths, ratios = [], []
    for reach in (middle - ends[:, 0], ends[:, 1] - middle):
        trunk, farthest = np.nanpercentile(reach[rows.start :], 30), np.nanmax(reach[rows])
        length = max(farthest - trunk, 1.0)
        lengths.append(length / height)
        ratios.append(np.count_nonzero(reach >= trunk + _END * length) / length)
    return round(float(min(lengths)), 4), round(float(max(ratios)), 4)


def hands(shape: Silhouette) -> float:
    """Widest row at the height of hanging hands, in heights of the figure."""
    if not (box := shape.box):
        return 0.0
    ends, height = _ends(shape), box[3] - box[1]
    wide = (ends[:, 1] - ends[:, 0])[round(_HANDS[0] * height) : max(round(_HANDS[1] * height), 1)]
    return round(float(np.nanmax(wide) / height), 4) if np.isfinite(wide).any() else 0.0


def widths(shape: Silhouette) -> str:
    """Give the figure's width in 48 rows from its top to its lower end, two hexadecimal digits each."""
    if not (box := shape.box):
        return ""
    ends, height = _ends(shape), box[3] - box[1]
    wide = np.nan_to_num(ends[:, 1] - ends[:, 0])
    rows = (np.arange(WIDTHS) + 0.5) / WIDTHS * height - 0.5
    steps = np.interp(rows, np.arange(height), wide) / height / WIDTH_STEP
    return np.minimum(np.rint(steps), 255).astype(np.uint8).tobytes().hex()


def _ends(shape: Silhouette) -> npt.NDArray[np.float64]:
    """First column of the figure and the one behind its last, for each of its rows; of shape (height, 2)."""
    assert shape.box
    rows = shape.figure[shape.box[1] : shape.box[3]]
    seen = rows.any(axis=1)
    ends = np.stack([rows.argmax(axis=1), rows.shape[1] - rows[:, ::-1].argmax(axis=1)], axis=1).astype(np.float64)
    ends[~seen] = np.nan
    return ends
