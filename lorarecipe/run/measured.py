"""Read what the stages of a gate, of a leak test and of a choice have measured."""

from __future__ import annotations

from pathlib import Path

from lorarecipe.records import Choice, Gate, Leak, read_record

#: file of a gate, in its stage
GATE = "gate.json"
#: file of a leak test, in its stage, and beside the LoRA
LEAK = "leak.json"
#: file of what was picked, in its stage
CHOICE = "choice.json"


def choice_in(folder: Path) -> Choice:
    """Read what was picked, in a stage's folder."""
    return read_record(folder / CHOICE, Choice)


def gate_in(folder: Path) -> Gate:
    """Read the gate in a stage's folder."""
    return read_record(folder / GATE, Gate)


def leak_in(folder: Path) -> Leak:
    """Read the leak test in a stage's folder."""
    return read_record(folder / LEAK, Leak)
