"""Draw lines as SVG, in the page's own colours."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from lorarecipe.language import in_context, translated

Points = Sequence[tuple[float, float]]

#: points of a line: more cannot be distinguished
_POINTS = 400
#: written into the SVG, and then replaced by colours that the page has for light and for dark
_INK = "#010203"
_COLOURS = {"#0a0b01": "var(--line-1)", "#0a0b02": "var(--line-2)", "#0a0b03": "var(--line-3)"}
#: stands for the rest of a longer label
_ROOM = "\N{NO-BREAK SPACE}"
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
            [drawn] = axes.plot(steps, values, color=line.colour, linestyle=line.style, label=_roomy(line.label))
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
    # matplotlib's font lacks the letters of other languages, so English is drawn
    svg = svg.replace(_ROOM, "")
    for word in ("step", name, *(line.label for line in lines)):
        svg = svg.replace(f">{html.escape(word)}</text>", f">{html.escape(said(word))}</text>")
    return svg


def _roomy(label: str) -> str:
    """Give a label as much room as it takes in the language of the user."""
    return label.ljust(cell_len(said(label)), _ROOM)


def said(word: str) -> str:
    """Give a word of a plot in the language of the user."""
    return translated(in_context(word, "plot"))
