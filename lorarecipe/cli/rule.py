"""``lorarecipe rule``."""

from __future__ import annotations

import inspect

import click

from lorarecipe.errors import did_you_mean


def _codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    from lorarecipe.rules import RULES

    return [code for code in RULES if code.startswith(incomplete.upper())]


@click.command("rule")
@click.argument("code", shell_complete=_codes)
def command(code: str) -> None:
    """Explain a rule; `lorarecipe rules` lists them."""
    from lorarecipe.rules import RULES

    if code.upper() not in RULES:
        near = did_you_mean(code.upper(), RULES) or "; run: lorarecipe rules"
        raise click.BadParameter(f"{code!r} is no rule{near}", param_hint="CODE")
    rule = RULES[code.upper()]
    click.echo(f"{code.upper()} ({rule.SEVERITY}): {inspect.cleandoc(rule.__doc__ or '')}")
