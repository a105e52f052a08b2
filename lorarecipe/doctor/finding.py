"""One fact about the machine, and whether a run can do without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: there; missing, and the recipe needs it; missing or worth knowing, and the recipe does not need it
State = Literal["ok", "lack", "note"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``advice`` says what to do about it, wherever it is a lack."""

    what: str
    state: State
    found: str
    advice: str = ""


def present(what: str, found: str) -> Finding:
    """Give the finding of something that is there."""
    return Finding(what, "ok", found)


def absent(what: str, found: str, advice: str, *, needed: bool) -> Finding:
    """Give the finding of something that is not there: a lack where it is needed, else a note."""
    return Finding(what, "lack" if needed else "note", found, advice)
