"""Measure what a LoRA brings along besides its character."""

from __future__ import annotations

from collections.abc import Iterator

from lorarecipe.events import Event
from lorarecipe.files import write_atomic
from lorarecipe.measures import Yardstick
from lorarecipe.measures.advice import advice, points_of
from lorarecipe.measures.leak import in_order, measured, rows_of
from lorarecipe.plan import LeakStage
from lorarecipe.records import Leak, Proof, Shot, record_text
from lorarecipe.run.drawn import bare_of, drawn_of
from lorarecipe.run.makers.maker import Attempt, begin_anew
from lorarecipe.run.measured import LEAK, leak_in
from lorarecipe.run.pictures import sample_path
from lorarecipe.run.renders import renders_of
from lorarecipe.store import Store

prepare = begin_anew


def make(stage: LeakStage, attempt: Attempt) -> Iterator[Event]:
    """Measure every picture, and write them, their means and what follows."""
    shots = in_order([*_shots(stage, attempt.store)])
    rows = rows_of(shots)
    write_atomic(attempt.folder / LEAK, record_text(Leak((stage.key,), advice(rows), rows, shots, points_of(rows))))
    yield from ()


def prove(stage: LeakStage, attempt: Attempt) -> Proof:  # noqa: ARG001 - the record says it
    """Count the pictures."""
    return {"pictures": len(leak_in(attempt.folder).pictures)}


def _shots(stage: LeakStage, store: Store) -> Iterator[Shot]:
    yardstick = Yardstick(renders_of(stage.renders, store, stage.resolution), stage.folders)
    last = stage.arms["target"][-1]
    bare = bare_of(last, store)
    for arm, samples in stage.samples:
        for name, (prompt, weight, seed) in samples.names.items():
            if weight == 0 and samples != last:  # without a LoRA, all stages draw the same
                continue
            yield Shot(
                sample_path(arm, samples, name),
                arm if weight else "without",
                samples.epoch,
                weight,
                prompt,
                seed,
                measured(drawn_of(samples, name, store, bare), yardstick, stage.measures),
            )
