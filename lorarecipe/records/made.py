"""How a stage was made."""

from __future__ import annotations

from dataclasses import dataclass, field

#: what was found when a result was proven
Proof = dict[str, int | float | str]


@dataclass(frozen=True)
class Made:
    """How a stage was made: ``made.json`` beside its files."""

    command: tuple[str, ...] = ()
    """Words of the process that was started; empty where none was."""
    seconds: float = 0.0
    proof: Proof = field(default_factory=dict)
