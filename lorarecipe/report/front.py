"""Likeness against leak as a drawing: where each use of a LoRA stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lorarecipe.language import in_context
from lorarecipe.records import Advice, Point

#: what the points are drawn in, and how far the axis reaches beyond the points
_LEFT, _TOP, _RIGHT, _BOTTOM, _EDGE = 64, 16, 624, 314, 16


@dataclass(frozen=True)
class Dot:
    """A point in the drawing, and what it is in words."""

    of: Point
    x: float
    y: float
    advised: bool
    words: str


@dataclass(frozen=True)
class Front:
    """The drawing: dots, the line that joins those on the front, where a leak of 1 is, the ends of the upright axis."""

    dots: tuple[Dot, ...]
    line: str
    one: float
    least: float
    most: float
    left: int = _LEFT
    top: int = _TOP
    right: int = _RIGHT
    bottom: int = _BOTTOM


def front_of(points: Sequence[Point], advice: Advice | None) -> Front | None:
    """Place points: less leak further left, more likeness higher. None where there are none."""
    if not points:
        return None
    widest = max(1.2, *(point.leak for point in points)) * 1.05
    least, most = (end(point.unlike for point in points) for end in (min, max))
    room = max(1.0, most - least)

    def x(leak: float) -> float:
        return round(_LEFT + leak / widest * (_RIGHT - _LEFT), 1)

    def y(unlike: float) -> float:
        return round(_TOP + _EDGE + (unlike - least) / room * (_BOTTOM - _TOP - 2 * _EDGE), 1)

    advised = advice and (advice.arm or "target", advice.epoch, advice.weight)

    def dot(point: Point) -> Dot:
        is_advised = advised == (point.arm, point.epoch, point.weight)
        return Dot(point, x(point.leak), y(point.unlike), is_advised, _words(point, advised=is_advised))

    dots = tuple(map(dot, points))
    front = sorted((one for one in dots if one.of.front), key=lambda one: (one.x, -one.y))
    return Front(dots, " ".join(f"{one.x},{one.y}" for one in front), x(1), least, least + room)


def _words(point: Point, *, advised: bool) -> str:
    arm = in_context(point.arm, "arm")
    epoch = f"epoch {point.epoch}" if point.epoch else "last epoch"
    words = f"{arm}, {epoch}, weight {point.weight:g}: unlike by {point.unlike:.1f}, leak {point.leak:.2f}"
    return words + (", on the front" if point.front else "") + (", recommended" if advised else "")
