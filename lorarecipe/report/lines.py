"""Draw lines as SVG, in the page's own colours."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

Points = Sequence[tuple[float, float]]

#: points of a line: more cannot be distinguished
_POINTS = 400
#: written into the SVG, and then replaced by colours that the page has for light and for dark
_INK = "#010203"
_COLOURS = {"#0a0b01": "var(--line-1)", "#0a0b02": "var(--line-2)", "#0a0b03": "var(--line-3)"}
#: colours that a line may have
LINES = tuple(_COLOURS)


@dataclass(frozen=True)
class Line:
    """A line of a plot; a faint one is drawn behind another."""

    label: str
    points: Points
    colour: str
    style: str
    faint: bool = False


def draw_lines(name: str, lines: Sequence[Line]) -> str:
    """Draw lines over the steps of a training; ``name`` is that of the upright axis."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings = {
        **{f"{part}.color": _INK for part in ("text", "xtick", "ytick")},
        "axes.labelcolor": _INK,
        "axes.edgecolor": _INK,
        "svg.fonttype": "none",
        "svg.hashsalt": "lorarecipe",
        "font.family": "sans-serif",
    }
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        figure = Figure(figsize=(6, 2.6), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(b=False)
        for line in lines:
            each = -(-len(line.points) // _POINTS)
            steps, values = zip(*line.points[::each], strict=True)
            width, alpha = (0.7, 0.35) if line.faint else (1.4, 1.0)
            [drawn] = axes.plot(steps, values, color=line.colour, linestyle=line.style, label=line.label)
            drawn.set(linewidth=width, alpha=alpha, marker="o" if len(steps) == 1 else "")
        axes.set_xlabel("step")
        axes.set_ylabel(name)
        axes.legend(frameon=False, fontsize="small")
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :]
    for colour, own in {_INK: "currentColor", **_COLOURS}.items():
        svg = svg.replace(colour, own)
    return svg
