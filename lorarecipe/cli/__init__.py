"""The command line: one file a command, one place where errors become exit codes."""

from __future__ import annotations

import importlib
import os
import sys

import click

from lorarecipe import __version__
from lorarecipe.cli.handler import handled, reader_may_go
from lorarecipe.cli.options import with_quiet
from lorarecipe.errors import did_you_mean
from lorarecipe.language import language

_COMMANDS = (
    *("bake", "caption", "check", "completion", "convert", "demo", "diff", "doctor", "help", "import", "inspect"),
    *("new", "plan", "publish", "report", "rerun", "rule", "rules", "run", "runs", "schema", "setup", "show", "store"),
)


#: set by a shell that asks for completions, as click calls it
_COMPLETE = "_LORARECIPE_COMPLETE"


class _Lazy(click.Group):
    """Loads a command's file when it is asked for; none of them imports more than click at the top."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"lorarecipe.cli.{cmd_name}").command
        return _in_language(with_quiet(command))

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: object
    ) -> click.Context:
        """Read the command line, which prints where help is asked for."""
        with reader_may_go():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command that was asked for."""
        with reader_may_go():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is asked for; of an unknown one, name what was perhaps meant."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"{args[0]!r} is no command{did_you_mean(args[0], _COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lorarecipe")
def main() -> None:
    """Train a character LoRA from 3D renders in two phases, so that only the character is learned."""


def _in_language(command: click.Command) -> click.Command:
    """Translate a command's help, where the user's language is not the one that it is written in."""
    if language() == "en":
        return command
    from lorarecipe.cli.wording import in_language

    return in_language(command)


def entry() -> None:
    """Run the program and end the process with its exit code."""
    if _COMPLETE in os.environ:  # the shell asks; PowerShell is none of click's own
        importlib.import_module("lorarecipe.cli.completion")
    sys.exit(handled(lambda: _in_language(main)(standalone_mode=False, prog_name="lorarecipe")))
