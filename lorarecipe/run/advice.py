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
        reason = f"every weight leaks, and this one leaks least ({_figures(best, bare)}). Look at the base's gate first"
        return {"epoch": best["epoch"], "weight": best["weight"], "reason": reason}
    likest = min(row["palette"] for row in free)
    near = [row for row in free if row["palette"] <= likest + _ALIKE]
    best = min(near, key=lambda row: (abs(row["weight"] - 1), row["look_3d"] or 0))
    reason = "it is the most like the character among those that leak little"
    if len(near) > 1:
        reason = (
            f"{len(near)} of those that leak little are about as much like the character, this one nearest to weight 1"
        )
    return {"epoch": best["epoch"], "weight": best["weight"], "reason": f"{reason} ({_figures(best, bare)})"}


def _extra_white(row: dict[str, Any], bare: dict[str, Any]) -> float:
    return float((row["white_border"] or 0) - (bare["white_border"] or 0))


def _figures(row: dict[str, Any], bare: dict[str, Any]) -> str:
    figures = [f"colours off by {row['palette']:.1f}"]
    if row["look_3d"] is not None:
        figures.append(f"3D look {row['look_3d']:.2f}")
    if row["white_border"] is not None:
        figures.append(f"white border {row['white_border']:.0%} against {bare['white_border']:.0%} without the LoRA")
    return ", ".join(figures)


def advised(choice: dict[str, Any] | None) -> str:
    """Say which epoch and weight to use, and why, in a line; nothing where nothing is advised."""
    if not choice:
        return ""
    epoch = f"epoch {choice['epoch']}" if choice["epoch"] else "the last epoch"
    return f"Use {epoch} at weight {choice['weight']:g}: {choice['reason']}"
