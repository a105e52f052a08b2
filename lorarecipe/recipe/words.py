"""The faults that pydantic finds in a recipe, in plain words."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from lorarecipe.errors import Fault, count, did_you_mean
from lorarecipe.recipe.lines import Lines, Where
from lorarecipe.recipe.model import RecipeFile


def faults_of(lines: Lines, details: ErrorDetails) -> list[Fault]:
    """Turn pydantic's error into words."""
    where: Where = details["loc"]
    try:
        found = repr(details.get("input"))
    except ValueError:
        found = "a number of thousands of digits"
    found = found if len(found) < 80 else found[:77] + "..."
    if details["type"] == "options":
        problems: dict[str, str] = details["ctx"]["problems"]
        return [lines.fault((*where, option), problem) for option, problem in problems.items()]
    if details["type"] == "extra_forbidden":
        message = f"found an unknown key{did_you_mean(str(where[-1]), keys_at(where[:-1]))}"
    elif details["type"] == "missing":
        message = "the key is missing; write it here" + (", or name a preset" if "training" in where else "")
    elif details["type"] in {"too_short", "too_long"}:
        short = details["type"] == "too_short"
        entries = count(details["ctx"]["min_length" if short else "max_length"], "entry", "entries")
        bound = f"at least {entries}" if short else f"at most {entries}"
        message = f"found {found}, expected {bound}"
    elif details["type"] == "recipe":
        message = details["msg"]
    else:
        expected = _WORDS.get(details["type"]) or details["msg"].removeprefix("Input should be ")
        message = f"found {found}, expected {expected}"
    return [lines.fault(where, message)]


#: pydantic's error -> what was expected, in TOML's words
_WORDS = {
    "model_type": "a table",
    "tuple_type": "a list",
    "dict_type": "a table",
}


def keys_at(where: Where) -> list[str]:
    """Keys that a table may have, found by walking the models along its path."""
    model: type[BaseModel] = RecipeFile
    for part in where:
        if isinstance(part, int):
            continue
        field = model.model_fields.get("from_" if part == "from" else part)
        found = _models_in(field.annotation) if field else []
        if not found:
            return []
        model = found[0]
    return [field.alias or name for name, field in model.model_fields.items()]


def _models_in(annotation: object) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in getattr(annotation, "__args__", ()) for model in _models_in(inner)]
