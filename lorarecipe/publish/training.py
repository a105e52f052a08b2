"""How a LoRA was trained, as the record of its run has it; no name of a folder is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import JsonValue

from lorarecipe.run import PlannedStage, RunRecord

#: the last line of how a training's steps come about
_SUM = re.compile(r"\d+ steps? an epoch, (\d+) epochs? -> (\d+) steps?")


@dataclass(frozen=True)
class Trained:
    """One training: its images, how long it was, and its settings as in a recipe; None is what was not written down."""

    images: int | None
    epochs: int | None
    steps: int | None
    settings: dict[str, JsonValue]
    checkpoint: str
    """Digest of the checkpoint."""


def trained(record: RunRecord, key: str) -> Trained:
    """Describe the training that made a LoRA."""
    planned = {stage.key: stage for stage in record.plan}
    proofs = {stage.key: stage.proof for stage in record.stages}
    stage = planned[key]
    made_from = stage.identity.model_extra or {}
    length = next((found for line in stage.sum if (found := _SUM.fullmatch(line))), None)
    epochs, steps = map(int, length.groups()) if length else (None, None)
    images = proofs.get(str(made_from["data"]), {}).get("images")
    checkpoint = str(made_from["model"]["components"]["path"])
    return Trained(int(images) if images else None, epochs, steps, made_from["training"], checkpoint)


def captions_of(record: RunRecord, key: str) -> frozenset[str]:
    """Give the captions of all images that a LoRA comes from: its own, and those of what it was trained on."""
    planned = {stage.key: stage for stage in record.plan}
    found: dict[str, PlannedStage] = {}
    open_ends = [key]
    while open_ends:
        stage = planned[open_ends.pop()]
        if stage.key not in found:
            found[stage.key] = stage
            open_ends += [text for text in _texts(stage.identity.model_extra) if text in planned]
    return frozenset(caption for stage in found.values() for group in stage.identity.groups for _, caption in group)


def _texts(value: object) -> Iterator[str]:
    """Give all texts of a stage's identity: among them are the keys of the stages before it."""
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list() | tuple():
            for item in value:
                yield from _texts(item)
