"""Have the recipe's own reader judge what was carried over, so that nothing is written that it would refuse."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lorarecipe.errors import Fault, RecipeError
from lorarecipe.imports.draft import Draft, nested
from lorarecipe.recipe import load
from lorarecipe.recipe.writing import recipe_text

_TRAINING = "target.training."
#: what a training needs that has no default, each with a value that may stand there
_NEEDED: Mapping[str, object] = {"rank": 16, "alpha": 8, "unet_lr": 1e-4, "epochs": 10, "resolution": 512}
#: keys that a recipe needs besides
_EXAMPLES: Mapping[str, object] = {
    "checkpoint.family": "sd15",
    "checkpoint.path": "checkpoint.safetensors",
    "target.images": "renders",
    **{_TRAINING + name: value for name, value in _NEEDED.items()},
}


def settle(draft: Draft) -> None:
    """Take out what the reader refuses, in its own words, until only what is left to decide is missing."""
    if draft.found.trains:
        for name, example in _NEEDED.items():
            if _TRAINING + name not in draft.values and not (name == "epochs" and f"{_TRAINING}steps" in draft.values):
                draft.decide(_TRAINING + name, "the source does not say it", example)
    else:
        message = "the source says how images are read and not how to train; expected a preset, or keys of a training"
        draft.decide("preset", message, "emanon-2023")
    while faults := faults_of(draft):
        dropped = False
        for fault in faults:
            key = _key_of(fault, draft)
            if key:
                draft.drop(key, fault.message)
                dropped = True
            needed = f"{_TRAINING}epochs" if key == f"{_TRAINING}steps" else key or fault.where
            if needed in _EXAMPLES or not key:
                draft.decide(needed, fault.message, _EXAMPLES.get(needed))
        if not dropped:
            return


def faults_of(draft: Draft) -> tuple[Fault, ...]:
    """Load the recipe as its author may complete it, and give what is wrong with it."""
    examples = {one.key: one.example for one in draft.decisions if one.example is not None}
    filled = {"base.weights": "base.safetensors", **examples, **draft.values}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "recipe.toml")
        path.write_text(recipe_text(nested(filled)), encoding="utf-8")
        try:
            load(path)
        except RecipeError as error:
            return error.faults
    return ()


def _key_of(fault: Fault, draft: Draft) -> str | None:
    """Give the key of the recipe that a fault is at; None where it is at a table, or a key is missing."""
    where = re.sub(r"\[\d+\]", "", fault.where)
    keys = [key for key in draft.values if where == key or where.startswith(f"{key}.")]
    return max(keys, key=len, default=None)
