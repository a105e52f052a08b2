"""Say why a stage runs, or that it is reused."""

from __future__ import annotations

import json
from typing import Any

from lorarecipe.plan import MergeStage, Plan, SampleStage, Stage, TrainStage
from lorarecipe.store import Store


def reason(stage: Stage, plan: Plan, store: Store) -> str | None:
    """Give the reason why a stage runs, or None when its result is in the store.

    A stage that consumes one that runs, runs; else the nearest finished stage of its kind tells what changed.
    """
    if store.find(stage.short):
        return None
    for consumed in _consumed(stage):
        if consumed.key in plan.titles and not store.find(consumed.short):
            return f"{plan.title(consumed)} runs"
    wanted = _flat(json.loads(json.dumps(stage.identity())))
    nearest: tuple[str, list[str]] | None = None
    for name, identity in store.identities(stage.kind):
        flat = _flat(identity)
        differences = sorted(key for key in wanted.keys() | flat.keys() if wanted.get(key) != flat.get(key))
        if nearest is None or len(differences) < len(nearest[1]):
            nearest = (name, differences)
    if nearest is None or len(nearest[1]) > len(wanted) // 2:
        return "not made before"
    return f"unlike {nearest[0]} in {', '.join(nearest[1])}"


def _consumed(stage: Stage) -> list[Stage]:
    parts: list[object] = []
    if isinstance(stage, TrainStage):
        parts = [stage.data, stage.merged, stage.loaded]
    elif isinstance(stage, MergeStage):
        parts = [stage.base]
    elif isinstance(stage, SampleStage):
        parts = [stage.lora]
    return [part for part in parts if isinstance(part, Stage)]


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        flat |= _flat(inner, f"{prefix}{name}.") if isinstance(inner, dict) else {f"{prefix}{name}": inner}
    return flat
