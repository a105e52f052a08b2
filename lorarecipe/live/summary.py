"""All results of a run beside each other: a table on a terminal, a line for each elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from lorarecipe.errors import clock, printable
from lorarecipe.language import translated
from lorarecipe.live.ending import Outcome, lora_of
from lorarecipe.plan import Delivery
from lorarecipe.records import Point, Verdict

_COLOURS = {"pass": "green", "doubtful": "yellow", "fail": "red"}


@dataclass(frozen=True)
class Summary:
    """What came of one result."""

    name: str
    gate: Verdict | None
    """Of its base, the worst; None where it has none."""
    advised: Point | None
    """How its LoRA does at the weight that the leak test advises; None where it advises none."""
    seconds: float
    """That its own stages took in this run; those that it shares are none."""
    lora: Path | None
    """None where it was not made."""

    def __str__(self) -> str:
        """Say it in a line."""
        return f"{self.name}: {', '.join(self._parts())}"

    def _parts(self) -> Iterator[str]:
        if self.gate:
            yield f"gate {self.gate}"
        if self.advised:
            yield f"weight {weight_of(self.advised)}"
            yield f"unlike {self.advised.unlike:.1f}"
            yield f"leak {self.advised.leak:.2f}"
        yield clock(self.seconds)
        yield str(self.lora) if self.lora else "not made"


def summaries(deliveries: Sequence[Delivery], outcome: Outcome) -> tuple[Summary, ...]:
    """Sum up each result."""
    users = Counter(key for delivery in deliveries for key in delivery.keys)
    return tuple(
        Summary(
            delivery.name,
            gate.verdict if (gate := outcome.gate_of(delivery)) else None,
            outcome.advised.get(delivery.name),
            sum(seconds for key, seconds in outcome.seconds.items() if key in delivery.keys and users[key] == 1),
            lora_of(delivery, outcome),
        )
        for delivery in deliveries
    )


def summary_table(results: Sequence[Summary]) -> Table:
    """Put results beside each other."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", expand=True)
    table.add_column(translated("result"), ratio=2, overflow="fold")
    for head in ("gate", "weight", "unlike", "leak", "time"):
        table.add_column(translated(head), justify="left" if head == "gate" else "right", no_wrap=True)
    table.add_column(translated("LoRA"), ratio=3, overflow="fold")
    for one in results:
        gate = Text(translated(one.gate), _COLOURS[one.gate]) if one.gate else "-"
        at = one.advised
        figures = (weight_of(at), f"{at.unlike:.1f}", f"{at.leak:.2f}") if at else ("-", "-", "-")
        lora = Text(printable(str(one.lora))) if one.lora else Text(translated("not made"), "red")
        table.add_row(Text(printable(one.name)), gate, *figures, clock(one.seconds), lora)
    return table


def weight_of(point: Point) -> str:
    """Give the weight of a LoRA, and its epoch where that is not the last."""
    return f"{point.weight:g} ({point.epoch})" if point.epoch else f"{point.weight:g}"
