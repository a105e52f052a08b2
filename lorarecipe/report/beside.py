"""What a page reads of the files beside a result: a file of another form is not read."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lorarecipe.files import read_file
from lorarecipe.run import CANDIDATES, LEAK, PASSPORT
from lorarecipe.run.gate import Check, Seen, Verdict
from lorarecipe.run.leak import Row, Shot


class _Of(BaseModel):
    of: list[str]
    """Keys of the stages that it is about."""


class _Advice(BaseModel):
    epoch: int | None
    weight: float
    reason: str


class _Leak(_Of):
    advice: _Advice | None
    rows: list[Row]
    pictures: list[Shot]


class _Picture(BaseModel):
    place: str
    name: str
    prompt: str
    seed: int
    picked: bool


class _Candidates(_Of):
    pictures: list[_Picture]


@dataclass(frozen=True, kw_only=True)
class _Gated(Seen):
    place: str


class _Gate(BaseModel):
    of: str
    verdict: Verdict
    checks: list[Check]
    pictures: list[_Gated]


class _Character(BaseModel):
    traits: list[str]
    images: int
    repeats: int


class _Passport(_Of):
    name: str
    cast: list[_Character] = []
    gate: list[_Gate]


_FORMS: dict[str, type[_Of]] = {LEAK: _Leak, CANDIDATES: _Candidates, PASSPORT: _Passport}


def read_beside(path: Path, planned: Collection[str]) -> dict[str, Any]:
    """Read a file beside a result, if it is whole, and about stages of ``planned``: an earlier run's may lie there.

    Parameters
    ----------
    path
        The file; its name tells which form it has.
    planned
        Keys of stages.

    Returns
    -------
    dict
        What the file holds, or nothing.
    """
    try:
        content = read_file(path)
        about = _FORMS[path.name].model_validate_json(content, strict=True).of  # a pydantic error is a ValueError
        return dict(json.loads(content)) if about and set(about) <= set(planned) else {}
    except (OSError, ValueError, RecursionError):
        return {}
