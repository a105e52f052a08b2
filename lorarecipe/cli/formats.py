"""Findings for people, programs, GitHub's annotations and code scanning (SARIF)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from lorarecipe.cli.options import SCHEMA_VERSION
from lorarecipe.errors import count

if TYPE_CHECKING:
    from pathlib import Path

    from lorarecipe.rules import Finding


#: findings of a rule in a folder that are named each
_ALIKE = 3


@dataclass(frozen=True)
class Report:
    """What a check found, once each."""

    findings: Sequence[Finding]
    ignored: int
    images: int
    recipes: int
    verbose: bool = False
    """Whether a text names every finding, also of a kind that a folder has many of."""

    @property
    def errors(self) -> int:
        """Findings that forbid a training."""
        return sum(finding.severity == "error" for finding in self.findings)

    @property
    def fixable(self) -> int:
        """Findings that ``check --fix`` mends."""
        return sum(bool(finding.fix and not finding.fix.undecided) for finding in self.findings)

    @property
    def summary(self) -> str:
        """All of it in a line."""
        line = f"{count(self.errors, 'error')}, {count(len(self.findings) - self.errors, 'warning')}"
        line += f" in {count(self.images, 'image')} of {count(self.recipes, 'recipe')}"
        if self.fixable:
            line += f"; {self.fixable} fixable"
        return f"{line}; {self.ignored} ignored" if self.ignored else line

    @property
    def next_steps(self) -> list[str]:
        """Commands that mend what was found."""
        missing = sum(finding.code == "SET002" for finding in self.findings)
        steps = [f"{count(self.fixable, 'finding')} can be mended: lorarecipe check --fix"] if self.fixable else []
        if missing:
            steps.append(f"{count(missing, 'caption')} can be written from the images' names: lorarecipe caption")
        return steps


def text(report: Report) -> str:
    """``path:line:column: CODE severity message``, and the summary.

    Of a kind that a folder has many of, the first is named, with the count of the others.
    """
    lines = [f"{finding}{more}" for finding, more in shortened(report)]
    return "\n".join([*lines, report.summary, *report.next_steps])


def shortened(report: Report) -> Iterator[tuple[Finding, str]]:
    """Give the findings to name, each with what stands behind it; of a kind that a folder has many of, the first."""
    kinds: dict[tuple[Path, str, str], list[Finding]] = {}
    for finding in report.findings:
        kinds.setdefault((finding.path.parent, finding.code, finding.severity), []).append(finding)
    for finding in report.findings:
        alike = kinds[finding.path.parent, finding.code, finding.severity]
        if report.verbose or len(alike) <= _ALIKE:
            yield finding, ""
        elif finding is alike[0]:
            yield finding, f" (and {len(alike) - 1} more in this folder: --verbose)"


def as_json(report: Report) -> str:
    """One JSON object."""
    findings = [
        {
            "path": str(finding.path),
            "line": finding.line,
            "column": finding.column,
            "code": finding.code,
            "severity": finding.severity,
            "message": finding.message,
            "fix": {"tag": finding.fix.tag, "instead": finding.fix.instead} if finding.fix else None,
        }
        for finding in report.findings
    ]
    counts = {
        "errors": report.errors,
        "warnings": len(findings) - report.errors,
        "ignored": report.ignored,
        "fixable": report.fixable,
        "images": report.images,
        "recipes": report.recipes,
    }
    return json.dumps({"schema_version": SCHEMA_VERSION, **counts, "findings": findings}, indent=2, ensure_ascii=False)


def github(report: Report) -> str:
    """Workflow commands: each finding becomes an annotation in the pull request."""
    lines = [
        f"::{finding.severity} file={_property(str(finding.path))},line={finding.line},col={finding.column},"
        f"title={finding.code}::{_data(finding.message)}"
        for finding in report.findings
    ]
    return "\n".join([*lines, report.summary])


def sarif(report: Report) -> str:
    """SARIF 2.1.0 (OASIS), as code scanning reads it."""
    from lorarecipe import __version__
    from lorarecipe.rules import RULES
    from lorarecipe.rules.finding import summary_of

    codes = sorted({finding.code for finding in report.findings})
    rules = [
        {
            "id": code,
            "shortDescription": {"text": summary_of(RULES[code])},
            "help": {"text": RULES[code].__doc__},
            "defaultConfiguration": {"level": RULES[code].SEVERITY},
        }
        for code in codes
    ]
    results = [
        {
            "ruleId": finding.code,
            "ruleIndex": codes.index(finding.code),
            "level": finding.severity,
            "message": {"text": finding.message},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(os.fsencode(finding.path.as_posix()))},
                        "region": {"startLine": finding.line, "startColumn": finding.column},
                    }
                }
            ],
        }
        for finding in report.findings
    ]
    driver = {"name": "lorarecipe", "version": __version__, "rules": rules}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, indent=2, ensure_ascii=False)


FORMATS: dict[str, Callable[[Report], str]] = {"text": text, "json": as_json, "github": github, "sarif": sarif}


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")
