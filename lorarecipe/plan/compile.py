"""Checked datasets in, one plan out: stages in order, each once, and what is delivered at the end."""

from __future__ import annotations

from collections.abc import Sequence

from lorarecipe.errors import CheckFailed
from lorarecipe.plan.alone import compile_alone
from lorarecipe.plan.delivery import Compiled, Plan
from lorarecipe.plan.fetch import fetches_of
from lorarecipe.plan.measure import GateStage
from lorarecipe.plan.order import in_order
from lorarecipe.plan.stage import Stage
from lorarecipe.plan.two_phase import compile_two_phase
from lorarecipe.rules import Checked

#: recipes that a stage is named by
_NAMED = 3


def compile_plan(checked: Sequence[Checked]) -> Plan:
    """Compile a plan for one or more recipes; what they share appears once.

    Reads the checkpoint once for its digest (remembered afterwards), starts nothing and writes nothing else.

    Raises
    ------
    RecipeError
        When the checkpoint is not there, or is not the one that the recipe's ``sha256`` names.
    CheckFailed
        When an image is too small for the buckets, or two recipes want different trainers.
    """
    engines = {one.dataset.recipe.trainer.engine for one in checked}
    if len(engines) > 1:
        raise CheckFailed(f"found recipes for {' and '.join(sorted(engines))}, expected one trainer in a run")
    two_phase = [one.dataset.recipe.method == "two-phase" for one in checked]
    parts = [
        (compile_two_phase if two else compile_alone)(one.dataset) for one, two in zip(checked, two_phase, strict=True)
    ]
    stages: dict[str, Stage] = {}
    titles: dict[str, dict[str, None]] = {}
    fetches = fetches_of(one.dataset.recipe for one in checked)
    for stage, title in (*fetches, *(titled for part in parts for titled in part.stages)):
        stages.setdefault(stage.key, stage)
        titles.setdefault(stage.key, {})[title] = None
    joined = {key: _joined([*several]) for key, several in titles.items()}
    ordered = in_order(stages, [pair for part in parts for pair in part.waits])
    deliveries = tuple(part.delivery for part in parts)
    return Plan(engines.pop(), ordered, joined, deliveries, _waits(parts, ordered))


def _joined(titles: Sequence[str]) -> str:
    """Name a stage by what it is for in each recipe, or in the first of many."""
    return "; ".join(titles) if len(titles) <= _NAMED else f"{titles[0]} and {len(titles) - 1} more"


def _waits(parts: Sequence[Compiled], ordered: Sequence[Stage]) -> dict[str, tuple[str, ...]]:
    """Give what must wait for a gate that may stop it: all else that waits does so to come in a good order alone.

    One and the same stage may serve several ends, so that a gate comes after it; then it does not wait.
    """
    place = {stage.key: number for number, stage in enumerate(ordered)}
    waits: dict[str, dict[str, None]] = {}
    for part in parts:
        if part.delivery.recipe.base.gate.mode == "stop":
            for stage, before in part.waits:
                if isinstance(before, GateStage) and place[before.key] < place[stage.key]:
                    waits.setdefault(stage.key, {})[before.key] = None
    return {key: tuple(keys) for key, keys in waits.items()}
