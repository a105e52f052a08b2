"""Group the findings of a run's check by their rules."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from lorarecipe.language import translated
from lorarecipe.rules import RULES
from lorarecipe.rules.finding import code_of


@dataclass(frozen=True)
class OfRule:
    """The findings of one rule, and what the rule is about, in the language of the user.

    Code and summary are empty for findings of no rule that is known.
    """

    code: str
    summary: str
    findings: list[str]


def by_rule(findings: Sequence[str]) -> list[OfRule]:
    """Group findings by their rules, in the order of the codes."""
    groups: dict[str, list[str]] = {}
    for finding in findings:
        groups.setdefault(code_of(finding), []).append(finding)
    return [OfRule(code, _summary(code), those) for code, those in sorted(groups.items())]


def _summary(code: str) -> str:
    explanation = translated(inspect.cleandoc(RULES[code].__doc__ or "")) if code in RULES else ""
    return explanation.partition("\n")[0]
