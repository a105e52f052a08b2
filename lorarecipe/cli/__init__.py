"""The command line: one file a command, one place where errors become exit codes."""

from __future__ import annotations

import importlib
import sys

import click

from lorarecipe import __version__
from lorarecipe.cli.handler import handled

_COMMANDS = (
    *("bake", "caption", "check", "convert", "demo", "diff", "doctor", "plan", "report", "rerun", "rule", "rules"),
    *("run", "runs", "setup", "show", "store"),
)


class _Lazy(click.Group):
    """Loads a command's file when it is asked for; none of them imports more than click at the top."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"lorarecipe.cli.{cmd_name}").command
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lorarecipe")
def main() -> None:
    """Train a character LoRA from 3D renders in two phases, so that only the character is learned."""


def entry() -> None:
    """Run the program and end the process with its exit code."""
    sys.exit(handled(lambda: main(standalone_mode=False, prog_name="lorarecipe")))
