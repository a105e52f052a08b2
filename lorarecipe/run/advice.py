"""Which epoch and weight to use, and why: the likest of those that leak no more than they may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

#: what a LoRA may add to the white along the edge, and of the way from the checkpoint's shading to the renders'
_WHITE, _SOFT = 0.1, 0.25
#: colours that are this near in likeness (dE76) are the same to the eye at a glance
_ALIKE = 2.0


def advice(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Choose among the target's rows; None where there is no picture without the LoRA to compare with.

    Returns
    -------
    dict
        ``epoch`` (None for the last), ``weight`` and ``reason``, a sentence or two with the figures.
    """
    bare = next((row for row in rows if row["arm"] == "without"), None)
    drawn = [row for row in rows if row["arm"] == "target" and row["palette"] is not None]
    if not bare or not drawn:
        return None
    free = [row for row in drawn if _extra_white(row, bare) <= _WHITE and (row["look_3d"] or 0) <= _SOFT]
    if not free:
        best = min(drawn, key=lambda row: max(_extra_white(row, bare) / _WHITE, (row["look_3d"] or 0) / _SOFT))
        reason = f"every weight leaks; this one least ({_figures(best, bare)}). Look at the base's gate first"
        return {"epoch": best["epoch"], "weight": best["weight"], "reason": reason}
    likest = min(row["palette"] for row in free)
    near = [row for row in free if row["palette"] <= likest + _ALIKE]
    best = min(near, key=lambda row: (abs(row["weight"] - 1), row["look_3d"] or 0))
    reason = f"of {len(free)} that leak little, the likest are {len(near)}, and of these it is nearest to weight 1"
    return {"epoch": best["epoch"], "weight": best["weight"], "reason": f"{reason} ({_figures(best, bare)})"}


def _extra_white(row: dict[str, Any], bare: dict[str, Any]) -> float:
    return float((row["white_border"] or 0) - (bare["white_border"] or 0))


def _figures(row: dict[str, Any], bare: dict[str, Any]) -> str:
    told = [f"colours off {row['palette']:.1f}"]
    if row["white_border"] is not None:
        told.append(f"white border {row['white_border']:.0%}, without the LoRA {bare['white_border']:.0%}")
    if row["look_3d"] is not None:
        told.append(f"3D look {row['look_3d']:.2f}")
    return "; ".join(told)


def advised(told: dict[str, Any] | None) -> str:
    """Say it in a line; nothing where nothing is advised."""
    if not told:
        return ""
    return f"use epoch {told['epoch'] or 'last'} at weight {told['weight']:g}: {told['reason']}"
