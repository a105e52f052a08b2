"""Measure what a base has drawn, and give the verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PIL import Image

from lorarecipe.events import Event
from lorarecipe.files import write_atomic
from lorarecipe.measures.gate import judge
from lorarecipe.plan import GateStage
from lorarecipe.records import Proof, record_text
from lorarecipe.run.makers.maker import Attempt, begin_anew
from lorarecipe.run.measured import GATE, gate_in
from lorarecipe.run.pictures import gate_path
from lorarecipe.run.renders import renders_of

prepare = begin_anew


def make(stage: GateStage, attempt: Attempt) -> Iterator[Event]:
    """Measure every picture."""
    folder, shown, samples = attempt.store.path(stage.pictures.short), {}, stage.pictures.samples
    for name, (prompt, _, seed) in stage.pictures.names.items():
        with Image.open(folder / name) as picture:
            shown[gate_path(stage.pictures, name)] = (prompt, seed, picture.convert("RGB"))
    renders = renders_of(stage.renders, attempt.store, stage.pictures.resolution)
    gate = judge("merged" if stage.pictures.merged else "base", shown, renders)
    drawn = samples.model_dump(mode="json", include={"seed", "images", "steps", "scale"})
    write_atomic(attempt.folder / GATE, record_text(replace(gate, drawn=drawn)))
    yield from ()


def prove(stage: GateStage, attempt: Attempt) -> Proof:
    """Give the verdict, and on how many pictures."""
    return {"verdict": gate_in(attempt.folder).verdict, "pictures": len(stage.pictures.names)}
