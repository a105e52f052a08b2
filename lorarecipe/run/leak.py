"""The leak test: what a LoRA brings along besides its character, on the original checkpoint, in numbers.

It stands beside the checkpoint without the LoRA, and beside the control arm where the recipe has one: the same target,
trained without the base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lorarecipe import __version__
from lorarecipe.dataset import EXTENSIONS
from lorarecipe.plan import Delivery
from lorarecipe.run.measures import change, palette_distance, palette_of, softness, white_border
from lorarecipe.store import Store

#: file of the numbers, beside the LoRA
LEAK = "leak.json"
#: tags that ask for the background that all renders have
_PLAIN = ("white background", "simple background")
_ARMS = ("without", "control", "target")


@dataclass(frozen=True)
class Row:
    """Means over the pictures of one arm, epoch and weight."""

    arm: str
    """``without`` the LoRA, ``target``, or ``control``."""
    epoch: int | None
    """None for the last."""
    weight: float
    pictures: int
    white_border: float | None
    """Share of white along the edge (see ``measures.white_border``), of prompts that ask for no white background."""
    look_3d: float | None
    """Softness of the shading: 0 as without the LoRA, 1 as the renders."""
    palette: float
    """Distance of the character's colours from the nearest in the picture, in Lab."""
    change: float | None
    """Distance from the picture without the LoRA, in Lab."""


def leak_rows(delivery: Delivery, store: Store) -> list[Row]:
    """Measure every arm, epoch and weight of a recipe's samples; what has no counterpart without the LoRA is None."""
    staged = sorted((store.path(delivery.stage.data.short) / "00").iterdir())
    renders = [_picture(path) for path in staged if path.suffix in EXTENSIONS]
    palette, soft_renders = palette_of(renders), float(np.mean([softness(render) for render in renders]))
    arms = [("target", stage) for stage in delivery.samples] + [("control", stage) for stage in delivery.control]
    last = delivery.samples[-1]
    without = {
        (prompt, seed): _picture(store.path(last.short) / name)
        for name, (prompt, weight, seed) in last.names.items()
        if weight == 0
    }
    soft_without = {key: softness(picture) for key, picture in without.items()}
    rows = []
    for arm, stage in arms:
        for at in stage.samples.weights:
            if at == 0 and stage != last:  # without a LoRA, all stages draw the same
                continue
            names = stage.names.items()
            shown = [(p, s, _picture(store.path(stage.short) / name)) for name, (p, weight, s) in names if weight == at]
            free = [white_border(picture) for p, _, picture in shown if not any(tag in p for tag in _PLAIN)]
            looks = [
                (softness(picture) - soft_without[p, s]) / (soft_renders - soft_without[p, s])
                for p, s, picture in shown
                if (p, s) in without and soft_renders - soft_without[p, s] > 0.05
            ]
            rows.append(
                Row(
                    arm if at else "without",
                    stage.epoch,
                    at,
                    len(shown),
                    _mean(free),
                    _mean(looks),
                    float(np.mean([palette_distance(picture, palette) for _, _, picture in shown])),
                    _mean([change(picture, without[p, s]) for p, s, picture in shown if (p, s) in without]),
                )
            )
    return sorted(rows, key=lambda row: (_ARMS.index(row.arm), row.epoch or 10**6, row.weight))


def leak_table(rows: Sequence[Row]) -> str:
    """Write the rows as a table of plain text, which is Markdown too."""
    heads = ("LoRA", "epoch", "weight", "white border", "3D look", "colours off", "change")
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for row in rows:
        cells = [row.arm, str(row.epoch or "last"), f"{row.weight:g}", _percent(row.white_border)]
        cells += [_number(row.look_3d, 2), _number(row.palette, 1), _number(row.change, 1)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def leak_record(rows: Sequence[Row]) -> dict[str, object]:
    """Give the rows as JSON."""
    proven = "the demo's world only"
    return {"format": 1, "lorarecipe": __version__, "proven_on": proven, "rows": [asdict(row) for row in rows]}


def _picture(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
