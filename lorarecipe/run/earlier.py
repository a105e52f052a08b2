"""What this machine has made before, by the ledger, and how long it took."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path

from lorarecipe.estimates import TIMED, Past
from lorarecipe.run.form import RunRecord, StageRecord
from lorarecipe.run.ledger import each_run

_KINDS = {timed.kind for timed in TIMED}


def past_stages(root: Path) -> Iterator[Past]:
    """Give the stages that runs on this machine have made and that are timed, newest run first.

    A stage is left out where the time of one of its sittings is not known, because it was killed, and where it was made
    by another system: a ledger may be in a folder that machines share.
    """
    for run in each_run(root):
        if run.record.versions.get("platform") == platform.platform():
            yield from _made(run.name, run.record)


def _made(name: str, record: RunRecord) -> Iterator[Past]:
    planned = {stage.key: stage for stage in record.plan if stage.kind in _KINDS}
    for stage in record.stages:
        if stage.outcome != "made" or stage.key not in planned:
            continue
        spans = [sitting.seconds for sitting in stage.sittings] or [stage.seconds]
        known = [span for span in spans if span is not None]
        units = _units(stage)
        if len(known) == len(spans) and sum(known) > 0 and units > 0:
            identity = planned[stage.key].identity.model_dump(mode="json", exclude_unset=True)
            yield Past(name, record.engine, stage.kind, identity, _on_cpu(stage), sum(known), units)


def _units(stage: StageRecord) -> int:
    """Count the steps of a training, or the pictures of samples."""
    if stage.kind == "train":
        return stage.steps or 0
    pictures = stage.proof.get("pictures", 1)
    return pictures if isinstance(pictures, int) else 0


def _on_cpu(stage: StageRecord) -> bool:
    return stage.kind == "train" and "--cpu" in stage.command
