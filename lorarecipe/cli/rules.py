"""``lorarecipe rules``."""

from __future__ import annotations

import json

import click


@click.command("rules")
@click.option("--json", "as_json", is_flag=True, help="Print all of each rule as JSON.")
def command(as_json: bool) -> None:
    """List all rules; `lorarecipe rule CODE` explains one."""
    from lorarecipe.rules import RULES, UNALTERABLE

    if not as_json:
        for code, rule in RULES.items():
            click.echo(f"{code}  {rule.SEVERITY:7}  {(rule.__doc__ or '').splitlines()[0]}")
        return
    listed = [
        {
            "code": code,
            "severity": rule.SEVERITY,
            "may_be_set": code not in UNALTERABLE,
            "summary": (rule.__doc__ or "").splitlines()[0],
            "explanation": rule.__doc__,
        }
        for code, rule in RULES.items()
    ]
    click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
