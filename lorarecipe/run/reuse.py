"""Say why a stage runs, or that it is reused."""

from __future__ import annotations

import json
from typing import Any

from lorarecipe.plan import Plan, Stage
from lorarecipe.run.inputs import consumed
from lorarecipe.store import Store


def reason(stage: Stage, plan: Plan, store: Store) -> str | None:
    """Give the reason why a stage runs, or None when its result is in the store.

    A stage that consumes one that runs, runs; else the nearest finished stage of its kind tells what changed.
    """
    if store.find(stage.short):
        return None
    for part in consumed(stage):
        if part.key in plan.titles and not store.find(part.short):
            return f"{plan.title(part)} runs"
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


def _flat(value: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, inner in value.items():
        flat |= _flat(inner, f"{prefix}{name}.") if isinstance(inner, dict) else {f"{prefix}{name}": inner}
    return flat
