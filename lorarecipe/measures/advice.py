"""Which LoRA, epoch and weight to use, and why: the likest of those that leak no more than they may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lorarecipe.records import Advice, Point, Row

#: what a LoRA may add to the white along the edge, and of the way from the checkpoint's shading to the renders'
_WHITE, _SOFT = 0.1, 0.25
#: rows that are this near in unlikeness (dE76), or in leak, are the same at a glance
_ALIKE, _CLEANER = 2.0, 0.5
#: what a hairstyle that has nothing in common counts, as a distance of colours (dE76): as hair of another colour
_STYLE = 20.0
#: arms that are delivered
_DELIVERED = ("refined", "target")


@dataclass(frozen=True)
class _Place:
    """A row with what decides: how unlike the character it is, and its leak in what it may leak at most."""

    row: Row
    unlike: float
    leak: float

    @property
    def point(self) -> Point:
        return Point(self.row.arm, self.row.epoch, self.row.weight)


def advice(rows: Sequence[Row]) -> Advice | None:
    """Choose among the rows of what is delivered; None where no picture without the LoRA is there to compare with.

    A row is on the front if no other beats it: by what can be seen in likeness or leak, and in neither is worse. Of
    those on it that leak no more than they may, the likest is recommended; of several about as like, the nearest to 1.
    """
    bare = next((row for row in rows if row.arm == "without"), None)
    places = [place for row in rows if bare and row.arm in _DELIVERED if (place := _place(row, bare))]
    if not bare or not places:
        return None
    front = [one for one in places if not any(_beats(other, one) for other in places)]
    free = [one for one in front if one.leak <= 1]
    if not free:
        best = min(front, key=lambda one: one.leak)
        reason = (
            f"every weight leaks, and this one leaks least ({_figures(best.row, bare)}). Look at the base's gate first"
        )
    else:
        likest = min(one.unlike for one in free)
        near = [one for one in free if one.unlike <= likest + _ALIKE]
        best = min(near, key=lambda one: (abs(one.row.weight - 1), one.leak))
        reason = "it is the most like the character among those that leak little"
        if len(near) > 1:
            reason = (
                f"{len(near)} of those that leak little are about as much like the character, "
                "this one nearest to weight 1"
            )
        reason = f"{reason} ({_figures(best.row, bare)})"
    return Advice(best.row.epoch, best.row.weight, reason, best.row.arm, tuple(one.point for one in front))


def _place(row: Row, bare: Row) -> _Place | None:
    colours = row.measured.get("palette")
    if colours is None:
        return None
    leak = max(0.0, _extra_white(row, bare) / _WHITE, (row.measured.get("look_3d") or 0) / _SOFT)
    return _Place(row, colours + _STYLE * (row.measured.get("hairstyle") or 0), leak)


def _beats(one: _Place, other: _Place) -> bool:
    liker, cleaner = other.unlike - one.unlike, other.leak - one.leak
    return min(liker, cleaner) >= 0 and (liker >= _ALIKE or cleaner >= _CLEANER)


def _extra_white(row: Row, bare: Row) -> float:
    return (row.measured.get("white_border") or 0) - (bare.measured.get("white_border") or 0)


def _figures(row: Row, bare: Row) -> str:
    measured = row.measured
    figures = [f"colours off by {measured['palette']:.1f}"]
    if (style := measured.get("hairstyle")) is not None:
        figures.append(f"hairstyle off by {style:.2f}")
    if (look := measured.get("look_3d")) is not None:
        figures.append(f"3D look {look:.2f}")
    white, bare_white = measured.get("white_border"), bare.measured.get("white_border")
    if white is not None and bare_white is not None:
        figures.append(f"white border {white:.0%} against {bare_white:.0%} without the LoRA")
    return ", ".join(figures)
