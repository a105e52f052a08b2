"""The last lines of a run: what came of it, where it is, and what to do with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lorarecipe import events
from lorarecipe.events import Event
from lorarecipe.measures.advice import advised_point
from lorarecipe.measures.gate import VERDICTS
from lorarecipe.plan import Delivery
from lorarecipe.records import Point
from lorarecipe.run import StageRecord, baked_name


@dataclass
class Outcome:
    """What a run has said that its last lines need."""

    gates: dict[str, events.Gated] = field(default_factory=dict)
    """Verdicts by the keys of their stages."""
    files: dict[str, list[Path]] = field(default_factory=dict)
    advice: dict[str, str] = field(default_factory=dict)
    advised: dict[str, Point] = field(default_factory=dict)
    """How each result does as it is advised to be used."""
    seconds: dict[str, float] = field(default_factory=dict)
    """That each stage took which was made, by its key."""

    def add(self, event: Event) -> None:
        """Note an event."""
        match event:
            case events.Gated(key=key):
                self.gates[key] = event
            case events.Finished(key=key, seconds=seconds):
                self.seconds[key] = seconds
            case events.Delivered(name=name, path=path):
                self.files.setdefault(name, []).append(Path(path))
            case events.Measured(name=name, rows=rows, advice=advice):
                self.advice[name] = advice
                if advice and (point := advised_point(rows)):
                    self.advised[name] = point
            case _:
                pass

    def gate_of(self, delivery: Delivery) -> events.Gated | None:
        """Give the worst verdict on the base of a result."""
        gates = [self.gates[stage.key] for stage in delivery.gate if stage.key in self.gates]
        return min(gates, key=lambda gate: VERDICTS.index(gate.verdict), default=None)


def last_lines(deliveries: Sequence[Delivery], outcome: Outcome, pages: Mapping[str, Path]) -> Iterator[str]:
    """Say of each result what its base's gate found, where its LoRA is, the prompt to paste and how to open its page.

    What the gate found of a base that several results share is said once.

    Parameters
    ----------
    deliveries
        The results of the plan.
    outcome
        What the run has said.
    pages
        The page of each result, by the result's name.
    """
    said = set[str]()
    for delivery in deliveries:
        yield ""
        gate = outcome.gate_of(delivery)
        if gate and (verdict := _verdict(gate)) not in said:
            said.add(verdict)
            yield verdict
        if lora := lora_of(delivery, outcome):
            failed = gate is not None and gate.verdict == "fail"
            yield from _use(delivery, lora, outcome.advice.get(delivery.name, ""), failed=failed)
        if page := pages.get(delivery.name):
            yield f"Page    {page.absolute().as_uri()} (open it in a browser)"


def _verdict(gate: events.Gated) -> str:
    odd = ", ".join(f"{check.name} ({check.right} of {check.of})" for check in gate.checks if check.verdict != "pass")
    if gate.verdict == "pass":
        return f"Gate    The base {gate.name} passed."
    if gate.verdict == "doubtful":
        return f"Gate    The base {gate.name} is doubtful: {odd}. Look at its pictures on the page."
    return (
        f"Gate    The base {gate.name} failed: {odd}. Train the base for more steps, or on more characters that differ "
        'more from each other, and run again. [base.gate] mode = "stop" ends a run there.'
    )


def lora_of(delivery: Delivery, outcome: Outcome) -> Path | None:
    """Give the file of a result to use; None where it was not made."""
    files = {path.name: path for path in outcome.files.get(delivery.name, ()) if path.suffix == ".safetensors"}
    named = files.get(baked_name(delivery.name)) or files.get(f"{delivery.name}.safetensors")
    return named or next(iter(files.values()), None)


def _use(delivery: Delivery, lora: Path, advice: str, *, failed: bool) -> Iterator[str]:
    baked, plain = lora.name == baked_name(delivery.name), f"{delivery.name}.safetensors"
    yield f"LoRA    {lora} (its weight 1 is another weight of {plain})" if baked else f"LoRA    {lora}"
    if failed:
        yield "Next    Do not use this LoRA: on such a base, the 3D look is learned with the character."
    elif delivery.recipe.target is None:
        yield f'Next    Name this base in the recipe of a character: [base] from = "{delivery.recipe.source.name}"'
    else:
        yield f"Prompt  1girl, <lora:{lora.stem}:1>"
        if advice:
            yield f"Advice  Of {plain}: {advice}." if baked else f"Advice  {advice}."


def rehearsed(stages: Sequence[StageRecord], again: Sequence[StageRecord], differences: Sequence[str]) -> str:
    """Say what a rehearsal proved and what it did not; ``again`` are the stages of the same run, made once more."""
    lines = ["", "rehearsed, in miniature and on the CPU:"]
    for stage in stages:
        proof = ", ".join(f"{name} {value}" for name, value in stage.proof.items())
        steps = f", steps {stage.steps}" if stage.steps is not None else ""
        lines.append(f"  {stage.title} ({proof}{steps})")
    reused = sum(stage.outcome == "reused" for stage in again)
    lines.append(f"  a second run reused {reused} of {len(again)} stages")
    lines.append("not rehearsed:")
    lines += [f"  {difference}" for difference in differences]
    lines.append(
        "  the trainer and the GPU that the recipe is for: its memory, its speed; and whether anything is learned"
    )
    return "\n".join(lines)
