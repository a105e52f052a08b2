"""What a rule says, and what every rule is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from lorarecipe.dataset import Caption, Dataset, Group, Tag
from lorarecipe.errors import printable
from lorarecipe.recipe import Recipe, Training
from lorarecipe.recipe.lines import Where

#: where the code of a finding stands in its line
_CODE = re.compile(r":\d+:\d+: ([A-Z]{3}\d{3}) (?:error|warning) ")
Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Fix:
    """What surely mends a caption: a tag and what to write in its place (nothing: it is taken out).

    Without a tag, the caption's tags are right and its file is to be written anew; with ``undecided``, as soon as the
    author has named the encoding that the file is written in.
    """

    tag: str = ""
    instead: str = ""
    undecided: bool = False


@dataclass(frozen=True, order=True)
class Finding:
    """One fault; ``line`` and ``column`` count from 1."""

    path: Path
    line: int
    column: int
    message: str
    code: str = ""
    severity: Severity = "error"
    fix: Fix | None = field(default=None, compare=False)

    def __str__(self) -> str:
        return printable(f"{self.path}:{self.line}:{self.column}: {self.code} {self.severity} {self.message}")


def code_of(line: str) -> str:
    """Give the code of a finding that was written as a line, or nothing where the line names none."""
    found = _CODE.search(line)
    return found[1] if found else ""


def summary_of(rule: Rule) -> str:
    """Give the first line of a rule's explanation."""
    return (rule.__doc__ or "").partition("\n")[0]


class Rule(Protocol):
    """A module of this package; its docstring is what ``lorarecipe rule CODE`` prints."""

    SEVERITY: Severity

    def check(self, dataset: Dataset) -> Iterator[Finding]:
        """Yield the findings, without code and severity."""
        ...


def at(caption: Caption, tag: Tag | None, message: str, fix: Fix | None = None) -> Finding:
    """Give a finding at a tag, or at the start of the caption."""
    line, column = (tag.line, tag.column) if tag else (1, 1)
    return Finding(caption.path, line, column, message, fix=fix)


def at_key(recipe: Recipe, where: Where, message: str) -> Finding:
    """Give a finding at a key of the recipe, in whichever file the key stands."""
    fault = recipe.fault(where, message)
    place = ": ".join(filter(None, (fault.option, fault.where)))
    return Finding(fault.path, fault.line, 1, f"{place}: {message}" if place else message)


def target_groups(dataset: Dataset) -> Iterator[tuple[Where, Group]]:
    """Folders of the target, each with its key."""
    if dataset.recipe.target:
        yield from zip((where for where, _, _ in dataset.recipe.target.parts), dataset.target, strict=True)


def trainings(recipe: Recipe) -> Iterator[tuple[Literal["base", "target"], Training]]:
    """Both trainings, as far as the recipe has them."""
    if recipe.base.training:
        yield "base", recipe.base.training
    if recipe.target:
        yield "target", recipe.target.training


def captions(dataset: Dataset, phase: Literal["base", "target"]) -> Iterator[Caption]:
    """Captions of a phase that hold tags."""
    for group in dataset.groups:
        if group.phase == phase:
            yield from (p.caption for p in group.pictures if p.caption and p.caption.tags)
