"""Which epoch and weight to use, and why: the likest of those that leak no more than they may."""

from __future__ import annotations

from collections.abc import Sequence

from lorarecipe.records import Advice, Row

#: what a LoRA may add to the white along the edge, and of the way from the checkpoint's shading to the renders'
_WHITE, _SOFT = 0.1, 0.25
#: colours that are this near in likeness (dE76) are the same to the eye at a glance
_ALIKE = 2.0


def advice(rows: Sequence[Row]) -> Advice | None:
    """Choose among the target's rows; None where there is no picture without the LoRA to compare with."""
    bare = next((row for row in rows if row.arm == "without"), None)
    drawn = [(row, colours) for row in rows if row.arm == "target" and (colours := row.measured["palette"]) is not None]
    if not bare or not drawn:
        return None
    free = [one for one in drawn if _extra_white(one[0], bare) <= _WHITE and _look(one[0]) <= _SOFT]
    if not free:
        best, off = min(drawn, key=lambda one: max(_extra_white(one[0], bare) / _WHITE, _look(one[0]) / _SOFT))
        figures = _figures(best, off, bare)
        reason = f"every weight leaks, and this one leaks least ({figures}). Look at the base's gate first"
        return Advice(best.epoch, best.weight, reason)
    likest = min(colours for _, colours in free)
    near = [one for one in free if one[1] <= likest + _ALIKE]
    best, off = min(near, key=lambda one: (abs(one[0].weight - 1), _look(one[0])))
    reason = "it is the most like the character among those that leak little"
    if len(near) > 1:
        reason = (
            f"{len(near)} of those that leak little are about as much like the character, this one nearest to weight 1"
        )
    return Advice(best.epoch, best.weight, f"{reason} ({_figures(best, off, bare)})")


def _look(row: Row) -> float:
    return row.measured["look_3d"] or 0


def _extra_white(row: Row, bare: Row) -> float:
    return (row.measured["white_border"] or 0) - (bare.measured["white_border"] or 0)


def _figures(row: Row, colours: float, bare: Row) -> str:
    figures = [f"colours off by {colours:.1f}"]
    look, white, bare_white = row.measured["look_3d"], row.measured["white_border"], bare.measured["white_border"]
    if look is not None:
        figures.append(f"3D look {look:.2f}")
    if white is not None and bare_white is not None:
        figures.append(f"white border {white:.0%} against {bare_white:.0%} without the LoRA")
    return ", ".join(figures)
