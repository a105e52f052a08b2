"""The order of a plan's stages, from the graph that they make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from itertools import product

from lorarecipe.plan.data import DataStage
from lorarecipe.plan.fetch import FetchStage
from lorarecipe.plan.stage import Stage
from lorarecipe.plan.train import TrainStage


def in_order(stages: Mapping[str, Stage], waits: Iterable[tuple[Stage, Stage]] = ()) -> tuple[Stage, ...]:
    """Sort stages so that each comes after its inputs, and where that can be, after what it had better wait for.

    All is fetched and all images are copied before anything else is made, so that none of it can stop a run after a
    training; and bases come before all targets, so that every base is seen before a target is trained.

    Parameters
    ----------
    stages
        The stages by their keys; of equals, the first comes first.
    waits
        Further pairs: a stage, and one that it had better wait for. One and the same stage may serve several ends, so a
        pair that its inputs do not allow is left out.
    """
    # dictionaries in place of sets, whose order changes from process to process
    graph = {key: dict.fromkeys(one.key for one in stage.inputs) for key, stage in stages.items()}
    groups: list[list[Stage]] = [[], [], [], []]
    for stage in stages.values():
        groups[_group(stage)].append(stage)
    images, first, later, others = groups
    for stage, before in (*product([*first, *later, *others], images), *waits, *product(later, first)):
        if not _needs(graph, before.key, stage.key):
            graph[stage.key][before.key] = None
    return tuple(stages[key] for key in TopologicalSorter(graph).static_order())


def _group(stage: Stage) -> int:
    """Tell what comes first (0), trainings that others are built on (1), other trainings (2), and all else (3)."""
    if isinstance(stage, TrainStage):
        return 1 if stage.role in {"base", "teacher"} else 2
    return 0 if isinstance(stage, DataStage | FetchStage) and not stage.inputs else 3


def _needs(graph: Mapping[str, Iterable[str]], stage: str, other: str) -> bool:
    """Tell whether a stage comes after another, or is the other."""
    seen, open_ends = set[str](), [stage]
    while open_ends:
        key = open_ends.pop()
        if key == other:
            return True
        if key not in seen:
            seen.add(key)
            open_ends += graph[key]
    return False
