"""``lorarecipe rule``."""

from __future__ import annotations

import inspect

import click


@click.command("rule")
@click.argument("code", required=False)
def command(code: str | None) -> None:
    """Explain a rule, or list them all."""
    from lorarecipe.rules import RULES

    if code is None:
        for known, rule in RULES.items():
            click.echo(f"{known}  {rule.SEVERITY:7}  {(rule.__doc__ or '').splitlines()[0]}")
        return
    if code.upper() not in RULES:
        raise click.BadParameter(f"{code!r}; known are {', '.join(RULES)}", param_hint="CODE")
    rule = RULES[code.upper()]
    click.echo(f"{code.upper()} ({rule.SEVERITY}): {inspect.cleandoc(rule.__doc__ or '')}")
