"""How a stage was made."""

from __future__ import annotations

from dataclasses import dataclass, field

#: what was found when a result was proven
Proof = dict[str, int | float | str]


@dataclass(frozen=True)
class Sitting:
    """A time in which a stage was worked at; a stage that was stopped and went on has several."""

    began: str
    """Date and time in UTC (ISO 8601)."""
    seconds: float | None
    """How long it took; None where the process was killed."""
    after: str = ""
    """What of an earlier sitting it went on after; empty where it began anew."""


@dataclass(frozen=True)
class Made:
    """How a stage was made: ``made.json`` beside its files."""

    command: tuple[str, ...] = ()
    """Words of the process that was started; empty where none was."""
    seconds: float = 0.0
    """Of the last sitting."""
    proof: Proof = field(default_factory=dict)
    sittings: tuple[Sitting, ...] = ()
    """When it was worked at; none where that was not yet written down."""
