"""Say which curves of a training are drawn, and smooth its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle

import numpy as np

from lorarecipe.language import translated
from lorarecipe.report.lines import LINES, Line, Points, draw_lines, said

Curves = Mapping[str, Points]

#: the trainer's loss of each step; where that is not logged, its running mean
_LOSS = ("loss/current", "loss/average")
#: how the names of the trainer's other curves begin
_PLOTS = {"learning rate": "lr/", "validation loss": "loss/validation"}
#: a loss of fewer points is not smoothed
_FEWEST = 10


@dataclass(frozen=True)
class Drawing:
    """A plot: what it shows in words, how it was made, and the SVG."""

    words: str
    caption: str
    svg: str


def drawings(curves: Curves) -> list[Drawing]:
    """Give a plot of each kind that there is; a loss is smoothed, with what was logged behind it."""
    drawn = []
    if loss := next((points for tag in _LOSS if (points := curves.get(tag))), None):
        drawn.append(_loss(loss))
    for name, beginning in _PLOTS.items():
        if lines := {tag: points for tag, points in curves.items() if points and tag.startswith(beginning)}:
            # three colours, then the same in dashes, then in dots
            kinds = cycle((colour, style) for style in ("-", "--", ":") for colour in LINES)
            styled = [
                Line(tag, points, colour, style)
                for (tag, points), (colour, style) in zip(lines.items(), kinds, strict=False)
            ]
            own = translated(name)
            drawn.append(Drawing(_words(name, styled), f"{own.capitalize()}, as logged.", draw_lines(name, styled)))
    return drawn


def smoothed(points: Points, window: int) -> Points:
    """Give the mean of the ``window`` points round each point; at the ends, of as many as there are.

    A loss that is not a number counts for nothing.
    """
    steps, values = zip(*points, strict=True)
    found = np.isfinite(values)
    sums, counts = (np.convolve(part, np.ones(window), "same") for part in (np.where(found, values, 0.0), found))
    means = np.divide(sums, counts, out=np.full(len(points), np.nan), where=counts > 0)
    return list(zip(steps, means.tolist(), strict=True))


def _loss(points: Points) -> Drawing:
    raw = Line("each logged step", points, LINES[0], "-", faint=True)
    window = max(5, len(points) // 25) | 1
    if len(points) < _FEWEST:
        line = Line("each logged step", points, raw.colour, "-")
        return Drawing(_words("loss", [line]), "Loss, as logged: too few steps to smooth.", draw_lines("loss", [line]))
    mean = Line(f"mean of {window} steps", smoothed(points, window), raw.colour, "-")
    caption = (
        f"Loss. The strong line is smoothed: each of its points is the mean of the {window} logged steps around it, "
        "and of fewer at both ends. The pale line behind it is the loss as logged."
    )
    return Drawing(_words("loss", [mean]), caption, draw_lines("loss", [raw, mean]))


def _words(name: str, lines: Sequence[Line]) -> str:
    name = said(name)
    ends = [f"{line.label} from {line.points[0][1]:.4g} to {line.points[-1][1]:.4g}" for line in lines]
    last = max(line.points[-1][0] for line in lines)
    return f"{name} over {last:.0f} steps: {', '.join(ends)}"
