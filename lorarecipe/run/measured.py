"""Read what the stages of a gate and of a leak test have measured."""

from __future__ import annotations

from pathlib import Path

from lorarecipe.records import Gate, Leak, read_record

#: file of a gate, in its stage
GATE = "gate.json"
#: file of a leak test, in its stage, and beside the LoRA
LEAK = "leak.json"


def gate_in(folder: Path) -> Gate:
    """Read the gate in a stage's folder."""
    return read_record(folder / GATE, Gate)


def leak_in(folder: Path) -> Leak:
    """Read the leak test in a stage's folder."""
    return read_record(folder / LEAK, Leak)
