"""Draw the curves of trainings as SVG, in the page's own colours."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import cycle

Curves = Mapping[str, Sequence[tuple[float, float]]]

#: points of a line: more cannot be distinguished
_POINTS = 400
#: written into the SVG, and then replaced by colours that the page has for light and for dark
_INK = "#010203"
_LINES = {"#0a0b01": "var(--line-1)", "#0a0b02": "var(--line-2)", "#0a0b03": "var(--line-3)"}
#: where the trainer's names belong: its running mean and each step's loss, its rates, what it keeps for validation
_PLOTS = {
    "loss": ("loss/average", "loss/current"),
    "learning rate": ("lr/",),
    "validation loss": ("loss/validation",),
}


def drawings(curves: Curves) -> list[tuple[str, str]]:
    """Give a plot of each kind that there is: what it shows in words, and the SVG."""
    drawn = []
    for name, beginnings in _PLOTS.items():
        lines = {tag: points for tag, points in curves.items() if points and tag.startswith(beginnings)}
        if name == "loss":
            lines = {tag: lines[tag] for tag in reversed(beginnings) if tag in lines}
        if lines:
            drawn.append((_words(name, lines), _plot(name, lines)))
    return drawn


def _words(name: str, lines: Curves) -> str:
    ends = [f"{tag} from {points[0][1]:.4g} to {points[-1][1]:.4g}" for tag, points in lines.items()]
    last = max(points[-1][0] for points in lines.values())
    return f"{name} over {last:.0f} steps: {', '.join(ends)}"


def _plot(name: str, lines: Curves) -> str:
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
        # three colours, then the same in dashes, then in dots
        kinds = cycle((colour, style) for style in ("-", "--", ":") for colour in _LINES)
        for (tag, points), (colour, style) in zip(lines.items(), kinds, strict=False):
            each = -(-len(points) // _POINTS)
            steps, values = zip(*points[::each], strict=True)
            axes.plot(steps, values, color=colour, linestyle=style, linewidth=1.2, label=tag)
        axes.set_xlabel("step")
        axes.set_ylabel(name)
        axes.legend(frameon=False, fontsize="small")
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :]
    for colour, own in {_INK: "currentColor", **_LINES}.items():
        svg = svg.replace(colour, own)
    return svg
