"""``lorarecipe rule``."""

from __future__ import annotations

import inspect

import click

from lorarecipe.cli.options import as_json_option, rule_codes, say_json
from lorarecipe.cli.rules import facts_of
from lorarecipe.errors import did_you_mean
from lorarecipe.language import translated


@click.command("rule")
@click.argument("code", shell_complete=rule_codes)
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
    click.echo(f"{code.upper()} ({rule.SEVERITY}): {translated(inspect.cleandoc(rule.__doc__ or ''))}")
