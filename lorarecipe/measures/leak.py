"""The leak test: what a LoRA brings along besides its character, on the original checkpoint, in numbers.

It stands beside the checkpoint without the LoRA, and beside the control arm where the recipe has one: the same target,
trained without the base. Every picture is measured; a row has the means of one arm, epoch and weight.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from lorarecipe.measures import MEASURES, Drawn, Yardstick
from lorarecipe.records import Row, Shot

#: raised whenever the means, the points or the advice would be others of the same numbers
VERSION = 5
_ARMS = ("without", "base", "control", "target", "refined")


def versions(models: Collection[str]) -> dict[str, int]:
    """Name the measures that can be taken with models of these names, each with its version."""
    return {key: one.VERSION for key, one in MEASURES.items() if not one.NEEDS or one.NEEDS in models}


def measured(drawn: Drawn, yardstick: Yardstick, measures: Collection[str]) -> dict[str, float | None]:
    """Take measures of a picture, by their keys."""
    numbers = {key: MEASURES[key].of(drawn, yardstick) for key in measures}
    return {key: None if number is None else round(number, 4) for key, number in numbers.items()}


def rows_of(shots: Sequence[Shot]) -> tuple[Row, ...]:
    """Give the means of each arm, epoch and weight, in the order of the shots."""
    groups: dict[tuple[str, int | None, float], list[Shot]] = {}
    for shot in shots:
        groups.setdefault((shot.arm, shot.epoch, shot.weight), []).append(shot)
    return tuple(_row(group) for group in groups.values())


def in_order(shots: Sequence[Shot]) -> tuple[Shot, ...]:
    """Sort shots by arm, epoch and weight."""
    return tuple(sorted(shots, key=lambda shot: (_ARMS.index(shot.arm), shot.epoch or 10**6, shot.weight)))


def leak_table(rows: Sequence[Row]) -> str:
    """Write the rows as a table of plain text, which is Markdown too."""
    heads = ["LoRA", "epoch", "weight", *titles_of(rows).values()]
    lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
    for row in rows:
        cells = [row.arm, str(row.epoch or "last"), f"{row.weight:g}", *cells_of(row)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def titles_of(rows: Sequence[Row]) -> Mapping[str, str]:
    """Give the heads of the columns that rows have; a measure of another version of lorarecipe has its key."""
    return {key: MEASURES[key].TITLE if key in MEASURES else key for key in (rows[0].measured if rows else ())}


def cells_of(row: Row) -> list[str]:
    """Write the numbers of a row, a dash where there is none."""
    return [
        "-" if number is None else format(number, MEASURES[key].FORM if key in MEASURES else ".2f")
        for key, number in row.measured.items()
    ]


def _row(shots: Sequence[Shot]) -> Row:
    first = shots[0]
    numbers = {key: [value for shot in shots if (value := shot.measured[key]) is not None] for key in first.measured}
    means = {key: round(float(np.mean(values)), 4) if values else None for key, values in numbers.items()}
    return Row(first.arm, first.epoch, first.weight, len(shots), means)
