"""Findings on a terminal: grouped by folder, coloured, cut to its width at words."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from lorarecipe.cli.formats import Report, shortened
from lorarecipe.errors import printable
from lorarecipe.language import translated

if TYPE_CHECKING:
    from pathlib import Path

_COLOURS = {"error": "red", "warning": "yellow"}


def print_findings(report: Report) -> None:
    """Print a report on standard output, a heading for each folder and recipe."""
    console = Console(highlight=False)
    for heading, lines in groupby(shortened(report), key=lambda line: _heading(line[0].path)):
        console.print(Text(printable(str(heading)), "bold underline"))
        for finding, more in lines:
            where = "" if finding.path == heading else f"{printable(finding.path.name)} "
            text = Text(f"{where}{finding.line}:{finding.column} ")
            text.append(finding.severity, _COLOURS[finding.severity])
            text.append(f" {finding.code} ", "bold")
            text.append(translated(f"{printable(finding.message)}{more}"))
            console.print(Padding(text, (0, 0, 0, 2)))
        console.print()
    colour = "red" if report.errors else "yellow" if report.findings else "green"
    console.print(Text(translated(report.summary), f"bold {colour}"))
    for step in report.next_steps:
        console.print(Text(translated(step)))


def _heading(path: Path) -> Path:
    """Group images and captions by their folder, and what is said of a recipe by its file."""
    return path if path.suffix == ".toml" else path.parent
