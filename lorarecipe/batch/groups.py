"""Which results a scheduler may have made at once, and which of them has to come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lorarecipe.plan import Delivery, Plan, TrainStage


@dataclass(frozen=True)
class Group:
    """Results that share a base that is trained, or that share none."""

    first: Delivery | None
    """The result whose run trains the base; None where no base is trained."""
    others: tuple[Delivery, ...]
    """Results that can be made at the same time once the base is in the store."""


def groups_of(plan: Plan) -> tuple[Group, ...]:
    """Group the results of a plan by the bases that are trained for them, in the order of the plan.

    A base alone comes first in its group, because the others then wait for nothing but the base.
    """
    groups: dict[str | None, list[Delivery]] = {}
    for delivery in plan.deliveries:
        base = delivery.base.key if isinstance(delivery.base, TrainStage) else None
        groups.setdefault(base, []).append(delivery)
    return tuple(_group(base, members) for base, members in groups.items())


def _group(base: str | None, members: Sequence[Delivery]) -> Group:
    ordered = tuple(sorted(members, key=lambda delivery: delivery.stage.key != base))
    return Group(ordered[0], ordered[1:]) if base else Group(None, ordered)
