"""Train a character LoRA from 3D renders in two phases, so that only the character is learned.

What the command line does, a program can do by the same steps; each takes what the one before gives:

========================= ===================================================================================
``load(path)``            read a recipe: ``Recipe``
``scan(recipe)``          measure its images, read its captions, open its checkpoint: ``Dataset``
``check(dataset)``        judge them by the rules: ``Checked``, with its findings
``compile_plan(checked)`` list the stages that make the results: ``Plan``
``execute(plan, ...)``    make what is missing, and put the results into a folder: one event after the other
========================= ===================================================================================

``events`` has what ``execute`` yields, and ``errors`` what each step raises. Nothing heavy is imported before it is
used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from lorarecipe import errors, events
    from lorarecipe.dataset import scan
    from lorarecipe.plan import compile_plan
    from lorarecipe.recipe import load
    from lorarecipe.rules import check
    from lorarecipe.run import execute

__all__ = ["__version__", "check", "compile_plan", "errors", "events", "execute", "load", "scan"]

_HOMES = {
    "check": "lorarecipe.rules",
    "compile_plan": "lorarecipe.plan",
    "execute": "lorarecipe.run",
    "load": "lorarecipe.recipe",
    "scan": "lorarecipe.dataset",
}


def __getattr__(name: str) -> object:
    """Import a part of the library when it is first asked for."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in __all__:
        return importlib.import_module(f"lorarecipe.{name}")
    raise AttributeError(f"module 'lorarecipe' has no attribute {name!r}")
