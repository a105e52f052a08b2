"""``lorarecipe rule``."""

from __future__ import annotations

import inspect

import click


@click.command("rule")
@click.argument("code")
def command(code: str) -> None:
    """Explain a rule; `lorarecipe rules` lists them."""
    from lorarecipe.rules import RULES

    if code.upper() not in RULES:
        raise click.BadParameter(f"{code!r} is no rule; run: lorarecipe rules", param_hint="CODE")
    rule = RULES[code.upper()]
    click.echo(f"{code.upper()} ({rule.SEVERITY}): {inspect.cleandoc(rule.__doc__ or '')}")
