"""``lorarecipe help``."""

from __future__ import annotations

import sys

import click

from lorarecipe.cli.options import say
from lorarecipe.errors import did_you_mean


def _completions(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    from lorarecipe.help import topics

    return [name for name in (*topics(), *_commands(ctx)) if name.startswith(incomplete)]


@click.command("help")
@click.argument("topic", required=False, shell_complete=_completions)
@click.pass_context
def command(context: click.Context, topic: str | None) -> None:
    """Print a page of the documentation, or the help of a command.

    Without TOPIC, the topics are listed.
    """
    from lorarecipe.help import page, topics

    titles, commands = topics(), _commands(context)
    if topic is None:
        width = max(map(len, titles))
        for name, title in titles.items():
            say(f"{name:{width}}  {title}")
        say("`lorarecipe help TOPIC` prints a page, `lorarecipe help COMMAND` the help of a command.", err=True)
    elif topic in titles:
        _print(page(topic))
    elif asked := _group(context).get_command(context, topic):
        say(asked.get_help(asked.context_class(asked, info_name=topic, parent=context.parent)))
    else:
        near = did_you_mean(topic, [*titles, *commands]) or "; run `lorarecipe help` for the list"
        raise click.BadParameter(f"{topic!r} is neither a topic nor a command{near}", param_hint="TOPIC")


def _commands(context: click.Context) -> list[str]:
    return _group(context).list_commands(context)


def _group(context: click.Context) -> click.Group:
    group = context.find_root().command
    assert isinstance(group, click.Group)
    return group


def _print(text: str) -> None:
    """Print Markdown: laid out on a terminal, as it is elsewhere."""
    if not sys.stdout.isatty():
        click.echo(text.rstrip())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(text))
