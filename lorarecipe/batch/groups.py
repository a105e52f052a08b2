"""Which recipes a scheduler may start at once, and which of them has to come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lorarecipe.plan import Plan, TrainStage


@dataclass(frozen=True)
class Group:
    """Recipes that share a base that is trained, or that share none."""

    first: Path | None
    """The recipe whose run trains the base; None where no base is trained."""
    others: tuple[Path, ...]
    """Recipes that can be run at the same time once the base is in the store."""


def groups_of(plan: Plan, recipes: Sequence[Path]) -> tuple[Group, ...]:
    """Group the recipes of a plan by the bases that are trained for them, in the order of the recipes.

    A recipe of a base alone comes first in its group, because the others then wait for nothing but the base.
    """
    groups: dict[str | None, list[tuple[bool, Path]]] = {}
    for recipe, delivery in zip(recipes, plan.deliveries, strict=True):
        base = delivery.base if isinstance(delivery.base, TrainStage) else None
        has_target = base is None or delivery.stage.key != base.key
        groups.setdefault(base.key if base else None, []).append((has_target, recipe))
    return tuple(_group(base, members) for base, members in groups.items())


def _group(base: str | None, members: Sequence[tuple[bool, Path]]) -> Group:
    ordered = tuple(recipe for _, recipe in sorted(members, key=lambda member: member[0]))
    return Group(ordered[0], ordered[1:]) if base else Group(None, ordered)
