"""Judge the tables of one recipe file, with what is put over them, and give every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from lorarecipe.errors import Fault, RecipeError, did_you_mean
from lorarecipe.hub import Remote
from lorarecipe.recipe.lines import Lines, Override
from lorarecipe.recipe.model import RecipeFile
from lorarecipe.recipe.opening import Opened
from lorarecipe.recipe.overrides import put_over
from lorarecipe.recipe.presets import PRESETS, fill
from lorarecipe.recipe.words import faults_of


def validated(
    opened: Opened, own: Sequence[Override], overrides: Sequence[Override], remotes: dict[Path, Remote]
) -> tuple[Lines, RecipeFile]:
    """Validate one file.

    Parameters
    ----------
    opened
        The file.
    own
        What is put over it.
    overrides
        What is put over it or over the other file of the recipe.
    remotes
        Takes what a hub will give.

    Raises
    ------
    RecipeError
        With every fault of the file.
    """
    raw, lines, unfit = put_over(opened.tables, own, opened.lines)
    lines = replace(lines, overrides=(*(one for one in overrides if one not in own), *lines.overrides))
    faults = [*opened.escaped, *unfit, *_apply_preset(raw, lines)]
    before = len(opened.escaped) + len(unfit)
    written = _own_settings(raw)
    faults += _fill_refine(raw, lines)
    method = raw.get("method", "two-phase")
    if method in ("plain", "distill"):  # a list, which may stand there, is in no set
        raw.setdefault("base", {})
    folder = lines.path.parent
    try:
        file = RecipeFile.model_validate(raw, context={"folder": folder, "method": method, "remotes": remotes})
    except ValidationError as error:
        faults += _faults_in(error, lines, written, unknown_preset=len(faults) > before)
        raise RecipeError(tuple(faults)) from error
    if faults:
        raise RecipeError(tuple(faults))
    return lines, file


def _faults_in(error: ValidationError, lines: Lines, own: frozenset[str], *, unknown_preset: bool) -> Iterator[Fault]:
    """Give the faults of a file, each once: a third phase's training has its other settings from the target's."""
    found = error.errors(include_url=False)
    inherited = {(details["loc"][2:], details["type"]) for details in found if details["loc"][:1] == ("target",)}
    for details in found:
        where = details["loc"]
        is_inherited = where[:2] == ("refine", "training") and not own.intersection(map(str, where[2:3]))
        if is_inherited and (where[2:], details["type"]) in inherited:
            continue  # it is the target's, and is reported there
        from_preset = details["type"] == "missing" and "training" in where
        if not (unknown_preset and from_preset):  # that is one fault, not one for each key it lacks
            yield from faults_of(lines, details)


def _own_settings(raw: dict[str, object]) -> frozenset[str]:
    """Name what the third phase's own table of a training holds."""
    match raw:
        case {"refine": {"training": {**own}}}:
            return frozenset(map(str, own))
    return frozenset()


def _fill_refine(raw: dict[str, object], lines: Lines) -> list[Fault]:
    """Take from the target's training what the third phase leaves out, but for a mask: drawn pictures have none."""
    refine, target = raw.get("refine"), raw.get("target")
    if not isinstance(refine, dict):
        return []
    if target is None:
        del raw["refine"]
        return [lines.fault(("refine",), "found [refine], expected it in the recipe of a target")]
    own, settings = refine.get("training", {}), target.get("training") if isinstance(target, dict) else None
    if isinstance(own, dict) and isinstance(settings, dict):
        settings = {name: value for name, value in settings.items() if name != "mask"}
        raw["refine"] = refine | {"training": fill(settings, own)}
    return []


def _apply_preset(raw: dict[str, object], lines: Lines) -> list[Fault]:
    name = raw.get("preset")
    if not isinstance(name, str):
        return []
    if name not in PRESETS:
        message = f"found {name!r}{did_you_mean(name, PRESETS)}, expected one of {', '.join(PRESETS)}"
        return [lines.fault(("preset",), message)]
    for phase, settings in (("base", PRESETS[name].base), ("target", PRESETS[name].target)):
        table = raw.get(phase)
        if isinstance(table, dict) and (phase == "target" or "characters" in table):
            written = table.get("training", {})
            if isinstance(written, dict):
                table["training"] = fill(settings, written)
    return []
