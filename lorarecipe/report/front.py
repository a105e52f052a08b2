"""Likeness against leak as a drawing: where each use of a LoRA stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lorarecipe.records import Advice, Point

#: size of the drawing, and the room for what stands at its axes
WIDTH, HEIGHT, LEFT, BELOW, EDGE = 640, 360, 64, 46, 16


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


def front_of(points: Sequence[Point], advice: Advice | None) -> Front | None:
    """Place points: the less one leaks the further left, the liker the higher. None where there are none."""
    if not points:
        return None
    widest = max(1.2, *(point.leak for point in points)) * 1.05
    least, most = (end(point.unlike for point in points) for end in (min, max))
    room = max(1.0, most - least)

    def x(leak: float) -> float:
        return round(LEFT + leak / widest * (WIDTH - LEFT - EDGE), 1)

    def y(unlike: float) -> float:
        return round(2 * EDGE + (unlike - least) / room * (HEIGHT - BELOW - 3 * EDGE), 1)

    advised = advice and (advice.arm or "target", advice.epoch, advice.weight)
    dots = tuple(
        Dot(point, x(point.leak), y(point.unlike), advised == use, _words(point, advised=advised == use))
        for point in points
        if (use := (point.arm, point.epoch, point.weight))
    )
    front = sorted((dot for dot in dots if dot.of.front), key=lambda dot: (dot.x, -dot.y))
    return Front(dots, " ".join(f"{dot.x},{dot.y}" for dot in front), x(1), least, least + room)


def _words(point: Point, *, advised: bool) -> str:
    epoch = f"epoch {point.epoch}" if point.epoch else "last epoch"
    told = f"{point.arm}, {epoch}, weight {point.weight:g}: unlike by {point.unlike:.1f}, leak {point.leak:.2f}"
    return told + (", on the front" if point.front else "") + (", recommended" if advised else "")
