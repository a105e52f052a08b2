"""The help of commands in the user's language, laid out for letters that are two columns wide."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

import click

from lorarecipe.cli.folding import folded_lines
from lorarecipe.language import translated


class _Formatter(click.HelpFormatter):
    """Breaks lines between phrases and counts columns, where click breaks at spaces and counts letters."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args, prefix or f"{translated('Usage:')} ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(translated(heading))

    def write_text(self, text: str) -> None:
        super().write_text(folded(text, self.width - self.current_indent))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        first = min(max(len(name) for name, _ in rows), col_max) + col_spacing
        room = max(self.width - first - 2, 10)
        super().write_dl([(name, folded(translated(text), room)) for name, text in rows], col_max, col_spacing)


class _Context(click.Context):
    formatter_class = _Formatter


def in_language(command: click.Command) -> click.Command:
    """Put the help of a command, of its parameters and of its subcommands into the user's language."""
    command.context_class = _Context
    command.help = translated(inspect.cleandoc(command.help or ""))
    command.short_help = "".join(command.help.partition("。")[:2]).replace("\n", "")
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = translated(parameter.help)
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            in_language(subcommand)
    return command


def folded(text: str, width: int) -> str:
    """Break each paragraph into lines of ``width`` columns at most, and mark it so that click leaves it alone."""
    return "\n\n".join(
        "\n".join(["\b", *folded_lines(paragraph.replace("\n", " "), width)]) for paragraph in text.split("\n\n")
    )
