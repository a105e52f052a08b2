"""Which LoRA, epoch and weight to use, and why: the one most like the character of those that leak little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from lorarecipe.records import Advice, Point, Row

#: what a LoRA may add to the white along the edge, and of the way from the checkpoint's shading to the renders'
WHITE, SOFT = 0.1, 0.25
#: rows that are this near in unlikeness (dE76), or in leak, are the same at a glance
_ALIKE, _CLEANER = 2.0, 0.5
#: what a hairstyle that has nothing in common counts, as a distance of colours (dE76): as hair of another colour
_STYLE = 20.0
#: arms that are delivered
_DELIVERED = ("refined", "target")


def points_of(rows: Sequence[Row]) -> tuple[Point, ...]:
    """Say of each row how like the character it is and what it leaks; none without pictures to compare with.

    A point is on the front if it is delivered and no other that is beats it: by what can be seen in likeness or leak,
    and in neither is worse.
    """
    bare = next((row for row in rows if row.arm == "without"), None)
    points = [point for row in rows if bare and row.arm != "without" if (point := _point(row, bare))]
    delivered = [point for point in points if point.arm in _DELIVERED]
    return tuple(
        replace(one, front=one in delivered and not any(_beats(other, one) for other in delivered)) for one in points
    )


def advice(rows: Sequence[Row]) -> Advice | None:
    """Choose among the points of what is delivered; None where no picture without the LoRA is there to compare with.

    Of those on the front that leak no more than they may, the one most like the character is recommended; of several
    that are about as much like it, the one nearest to weight 1.
    """
    front = [point for point in points_of(rows) if point.front]
    if not front:
        return None
    free = [one for one in front if one.leak <= 1]
    near = [one for one in free if one.unlike <= min(other.unlike for other in free) + _ALIKE]
    if not free:
        best = min(front, key=lambda one: one.leak)
    else:
        best = min(near, key=lambda one: (abs(one.weight - 1), one.leak))
    figures = _figures(rows, best)
    if not free:
        reason = f"every weight leaks, and this one leaks least ({figures}). Look at the base's gate first"
    elif len(near) > 1:
        reason = (
            f"{len(near)} of those that leak little are about as much like the character, "
            f"this one nearest to weight 1 ({figures})"
        )
    else:
        reason = f"it is the most like the character among those that leak little ({figures})"
    return Advice(best.epoch, best.weight, reason, _arm(best, rows))


def advised_point(rows: Sequence[Row]) -> Point | None:
    """Give the point that is advised; None where none is."""
    chosen = advice(rows)
    points = points_of(rows) if chosen else ()
    use = chosen and (chosen.arm or "target", chosen.epoch, chosen.weight)
    return next((point for point in points if (point.arm, point.epoch, point.weight) == use), None)


def _point(row: Row, bare: Row) -> Point | None:
    colours = row.measured.get("palette")
    if colours is None:
        return None
    leak = max(0.0, _extra_white(row, bare) / WHITE, (row.measured.get("look_3d") or 0) / SOFT)
    unlike = colours + _STYLE * (row.measured.get("hairstyle") or 0)
    return Point(row.arm, row.epoch, row.weight, round(unlike, 2), round(leak, 3), front=False)


def _arm(point: Point, rows: Sequence[Row]) -> Literal["refined", "target"] | None:
    """Name the LoRA of a point; None where it is the only one that is delivered."""
    if all(row.arm != "refined" for row in rows):
        return None
    return "refined" if point.arm == "refined" else "target"


def _beats(one: Point, other: Point) -> bool:
    closer, cleaner = other.unlike - one.unlike, other.leak - one.leak
    return min(closer, cleaner) >= 0 and (closer >= _ALIKE or cleaner >= _CLEANER)


def _extra_white(row: Row, bare: Row) -> float:
    return (row.measured.get("white_border") or 0) - (bare.measured.get("white_border") or 0)


def _figures(rows: Sequence[Row], point: Point) -> str:
    bare = next(row for row in rows if row.arm == "without")
    use = (point.arm, point.epoch, point.weight)
    measured = next(row.measured for row in rows if (row.arm, row.epoch, row.weight) == use)
    figures = [f"colours off by {measured['palette']:.1f}"]
    if (style := measured.get("hairstyle")) is not None:
        figures.append(f"hairstyle off by {style:.2f}")
    if (look := measured.get("look_3d")) is not None:
        figures.append(f"3D look {look:.2f}")
    white, bare_white = measured.get("white_border"), bare.measured.get("white_border")
    if white is not None and bare_white is not None:
        figures.append(f"white border {white:.0%} against {bare_white:.0%} without the LoRA")
    return ", ".join(figures)
