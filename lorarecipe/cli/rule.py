"""``lorarecipe rule``."""

from __future__ import annotations

import inspect

import click

from lorarecipe.cli.options import as_json_option, say_json
from lorarecipe.cli.rules import facts_of
from lorarecipe.errors import did_you_mean


def _codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    from lorarecipe.rules import RULES

    return [code for code in RULES if code.startswith(incomplete.upper())]


@click.command("rule")
@click.argument("code", shell_complete=_codes)
@as_json_option
def command(code: str, as_json: bool) -> None:
    """Explain a rule; `lorarecipe rules` lists them."""
    from lorarecipe.rules import RULES

    if code.upper() not in RULES:
        near = did_you_mean(code.upper(), RULES) or "; run: lorarecipe rules"
        raise click.BadParameter(f"{code!r} is no rule{near}", param_hint="CODE")
    rule = RULES[code.upper()]
    if as_json:
        say_json(facts_of(code.upper(), rule))
        return
    click.echo(f"{code.upper()} ({rule.SEVERITY}): {inspect.cleandoc(rule.__doc__ or '')}")
