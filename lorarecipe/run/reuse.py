"""Say why a stage runs, or that it is reused."""

from __future__ import annotations

import json
from collections.abc import Container

from lorarecipe.plan import Plan, Stage
from lorarecipe.run.leaves import flat
from lorarecipe.store import Store


def reason(stage: Stage, plan: Plan, store: Store, pulled: Container[str] = ()) -> str | None:
    """Give the reason why a stage runs, or None when its result is in the store, or is ``pulled`` from a shared one.

    A stage that consumes one that runs, runs; else the nearest finished stage of its kind tells what changed.
    """
    if store.find(stage.short) or stage.short in pulled:
        return None
    for part in stage.inputs:
        if part.key in plan.titles and part.short not in pulled and not store.find(part.short):
            return f"{plan.title(part)} runs"
    wanted = flat(json.loads(json.dumps(stage.identity())))
    nearest: tuple[str, list[str]] | None = None
    for name, identity in store.identities(stage.kind):
        found = flat(identity)
        # of images and repeats the list alone is named
        unlike = (name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        differences = sorted({name.partition("[")[0] for name in unlike})
        if nearest is None or len(differences) < len(nearest[1]):
            nearest = (name, differences)
    if nearest is None or len(nearest[1]) > len({name.partition("[")[0] for name in wanted}) // 2:
        return "not made before"
    return f"unlike {nearest[0]} in {', '.join(nearest[1])}"
