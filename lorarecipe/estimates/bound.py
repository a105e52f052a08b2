"""How long stages take together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def shortest(
    keys: Iterable[str], alone: Mapping[str, float], graph: Mapping[str, Sequence[str]], jobs: int = 1
) -> float:
    """Give the seconds that stages take at the least when several are made side by side.

    It is the longer of two: all of them shared out evenly among those that go on side by side, and the longest chain of
    stages that need each other.

    Parameters
    ----------
    keys
        All stages, in an order in which what a stage needs comes before it.
    alone
        Seconds of each stage; one that is left out takes none.
    graph
        What must be finished before each stage can begin.
    jobs
        How many stages are made side by side.
    """
    until: dict[str, float] = {}
    for key in keys:
        needed = (until.get(before, 0.0) for before in graph.get(key, ()))
        until[key] = alone.get(key, 0.0) + max(needed, default=0.0)
    return max(sum(alone.values()) / jobs, max(until.values(), default=0.0))
