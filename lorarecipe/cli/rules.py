"""``lorarecipe rules``."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import say_json
from lorarecipe.language import translated

if TYPE_CHECKING:
    from lorarecipe.rules import Rule


@click.command("rules")
@click.option("--json", "as_json", is_flag=True, help="Print all of each rule as JSON.")
def command(as_json: bool) -> None:
    """List all rules; `lorarecipe rule CODE` explains one."""
    from lorarecipe.rules import RULES

    if not as_json:
        for code, rule in RULES.items():
            explanation = translated(inspect.cleandoc(rule.__doc__ or ""))
            click.echo(f"{code}  {rule.SEVERITY:7}  {explanation.splitlines()[0].replace('``', '`')}")
        return
    say_json({"rules": [facts_of(code, rule) for code, rule in RULES.items()]})


def facts_of(code: str, rule: Rule) -> dict[str, object]:
    """Give all of a rule, for programs."""
    from lorarecipe.rules import UNALTERABLE
    from lorarecipe.rules.finding import summary_of

    return {
        "code": code,
        "severity": rule.SEVERITY,
        "may_be_set": code not in UNALTERABLE,
        "summary": summary_of(rule),
        "explanation": rule.__doc__,
    }
