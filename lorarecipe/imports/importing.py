"""From a source to the text of a recipe that loads, but for what it says is left to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from lorarecipe.imports.checkpoint import write_checkpoint
from lorarecipe.imports.draft import Decision, Draft, nested
from lorarecipe.imports.found import Left, Setting
from lorarecipe.imports.kinds import kind_of
from lorarecipe.imports.settling import settle
from lorarecipe.imports.sizes import write_sizes
from lorarecipe.imports.source import read_source
from lorarecipe.imports.target import write_target
from lorarecipe.imports.training import write_training
from lorarecipe.imports.values import shown
from lorarecipe.recipe.naming import RULE, narrowed
from lorarecipe.recipe.writing import recipe_text

_BASE = 'which base the character is trained on; expected from or weights in [base], or method = "plain" and no base'
_BASE_KEYS = """one of:
from = "base.toml" # a base recipe, shared by any number of characters
weights = "base.safetensors" # a base LoRA that is trained already
or, to train without a base, at the top of this file: method = "plain\""""


@dataclass(frozen=True)
class Imported:
    """A recipe, and what an author has to know of it."""

    kind: str
    """What the source was found to be."""
    name: str
    text: str
    """The recipe, as TOML."""
    carried: Mapping[str, tuple[tuple[str, object], ...]]
    """Keys of the recipe, each with the keys and values of the source that it comes from."""
    decisions: tuple[Decision, ...]
    """What has to be decided before the recipe loads, or to be looked at."""
    left: tuple[Left, ...]
    """What is not carried over, those of one reason beside each other."""
    unset: tuple[str, ...]
    """Keys of the source that change nothing."""


def import_recipe(path: Path, folder: Path, name: str | None = None) -> Imported:
    """Turn what another trainer's user has into a recipe.

    Parameters
    ----------
    path
        A configuration, a finished LoRA, or a folder of images.
    folder
        Where the recipe will be: its paths are relative to it. Nothing is written.
    name
        What the result is called; left out, what the source calls it.

    Raises
    ------
    RecipeError
        When the source is none of what can be imported; the message says what was found.
    """
    source = read_source(path)
    title, found = kind_of(source)
    draft = Draft(found)
    draft.put("format", 1)
    draft.put("name", narrowed(name or found.name) or "character")
    if found.name_key:
        draft.origins["name"] = (Setting(found.name_key, found.name, "output_name", found.name),)
    if draft.values["name"] != (name or found.name):
        draft.left.append(Left("name", name or found.name, f"{draft.values['name']} takes its place: expected {RULE}"))
    write_checkpoint(draft, source, folder)
    images = write_target(draft, source, folder)
    write_sizes(draft)
    write_training(draft, images)
    draft.decide("base", _BASE)
    settle(draft)
    secret_free = [Left(left.key, shown(left.key, left.value), left.reason) for left in draft.left]
    first = {left.reason: index for index, left in reversed([*enumerate(secret_free)])}
    return Imported(
        kind=title,
        name=str(draft.values["name"]),
        text=_text(draft, title, path),
        carried={
            key: tuple((setting.key, setting.value) for setting in settings if setting.key)
            for key, settings in draft.origins.items()
        },
        decisions=tuple(draft.decisions),
        left=tuple(sorted(secret_free, key=lambda left: first[left.reason])),
        unset=tuple(draft.unset),
    )


def _text(draft: Draft, title: str, path: Path) -> str:
    """Write the recipe: what is left to decide stands first, and as comments where it belongs."""
    notes = [f"Imported from {path.resolve().name}, {title}."]
    if draft.decisions:
        notes += ["Left to decide:", *(f"- {decision.key}: {decision.message}" for decision in draft.decisions)]
    tables, comments = nested({"base": {}, "checkpoint": {}, **draft.values}), dict(draft.comments)
    for decision in draft.decisions:
        *above, name = decision.key.split(".")
        if decision.example is not None:
            place = ".".join(above) or "name"
            lines = [comments[place]] if place in comments else [] if above else ["left to decide:"]
            comments[place] = "\n".join([*lines, tomli_w.dumps({name: decision.example}).strip()])
    comments["base"] = _BASE_KEYS
    return recipe_text(tables, comments=comments, notes=notes)
