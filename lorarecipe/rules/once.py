"""What several rules ask of the same picture or folder is worked out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from lorarecipe.dataset import Group, Picture

Frozen = TypeVar("Frozen", Picture, Group)
Answer = TypeVar("Answer")


def once(function: Callable[[Frozen], Answer]) -> Callable[[Frozen], Answer]:
    """Keep the answer with the frozen value that it is about, as ``functools.cached_property`` does."""
    name = f"{function.__module__}.{function.__name__}"

    @wraps(function)
    def remembered(about: Frozen) -> Answer:
        answers: dict[str, Answer] = vars(about)
        if name not in answers:
            answers[name] = function(about)
        return answers[name]

    return remembered
