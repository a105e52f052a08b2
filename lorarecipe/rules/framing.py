"""How much of its figure each image of a character shows, by fitting outlines to those of its full shots."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lorarecipe.dataset import Group, Picture
from lorarecipe.dataset.outline import WIDTHS
from lorarecipe.rules.once import once
from lorarecipe.rules.shots import zoom_of

#: mean difference of two outlines, over their mean width: of real renders of one figure up to 0.05 (upper body and
#: cowboy shots, any view), of portraits with loose hair up to 0.24, which are not judged
_MOST_UNLIKE = 0.12
#: full shots of a character that others are fitted to
_MOST_WHOLE = 6
#: a figure of which less is shown is cut
WHOLE = 0.9
_SHARES = np.arange(0.12, 1.001, 0.02)

Outlines = npt.NDArray[np.float32]


@once
def shown_shares(group: Group) -> dict[Path, float]:
    """Give the share of the figure, from its top, that each image shows; one whose outline does not fit is left out.

    An image has to show the top of the head. Of the demo's and of real renders of one figure the shares of one zoom lie
    within 0.04 of each other (portrait 0.32, upper body 0.48, cowboy shot 0.61), whatever the view.
    """
    measured = [one for one in group.pictures if len(one.look.widths) == 2 * WIDTHS and not one.look.touches[1]]
    wholes = list(dict.fromkeys(one.look.widths for one in measured if _is_whole(one)))[:_MOST_WHOLE]
    if not wholes:
        return {}
    expected = np.concatenate([_shortened(whole) for whole in _outlines(wholes)])
    # an outline a column: sums over rows are faster than over the few values of each outline
    found = np.ascontiguousarray(_outlines([picture.look.widths for picture in measured]).T)
    apart = [np.abs(found - row[:, None]).sum(axis=0) / max(row.sum(), 1e-6) for row in expected]
    unlike = np.stack(apart, axis=1)
    best = unlike.argmin(axis=1)
    return {
        picture.path: round(float(_SHARES[fit % len(_SHARES)]), 2)
        for picture, fit, row in zip(measured, best, unlike, strict=True)
        if row[fit] <= _MOST_UNLIKE
    }


def _is_whole(picture: Picture) -> bool:
    look = picture.look
    return zoom_of(picture) == "full body" and not any(look.touches) and look.parts == 1 and look.figures == 1


def _outlines(texts: Sequence[str]) -> Outlines:
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint8).reshape(-1, WIDTHS).astype(np.float32)


def _shortened(whole: Outlines) -> Outlines:
    """Give the outlines that an image would have which shows less and less of a figure; widths are of what is shown."""
    rows = np.arange(WIDTHS) + 0.5
    shorter = [np.interp(rows * share - 0.5, np.arange(WIDTHS), whole) / share for share in _SHARES]
    return np.stack(shorter).astype(np.float32)
