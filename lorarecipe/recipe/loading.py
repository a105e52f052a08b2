"""Read a recipe file, and the base recipe that it names, reporting every fault at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from lorarecipe.errors import Fault, NetworkFailed, RecipeError, did_you_mean
from lorarecipe.hub import Remote
from lorarecipe.recipe.across import across_tables
from lorarecipe.recipe.lines import Lines, Override
from lorarecipe.recipe.model import Checkpoint, RecipeFile
from lorarecipe.recipe.naming import narrowed
from lorarecipe.recipe.opening import Opened, open_recipe
from lorarecipe.recipe.overrides import NONE, Overrides
from lorarecipe.recipe.presets import PRESETS
from lorarecipe.recipe.validation import validated
from lorarecipe.recipe.versions import Version, versions_of
from lorarecipe.recipe.whole import Recipe

#: tables that say nothing of a base
_OF_A_TARGET = ("samples", "control", "deliver", "refine", "distill")
#: tables that say what a base is trained from
_OF_A_BASE = ("base", "checkpoint", "trainer")
#: tables that a recipe may leave to its base's
_OF_BOTH = ("checkpoint", "trainer", "merge")


def load_all(paths: Iterable[Path], overrides: Overrides = NONE) -> tuple[Recipe, ...]:
    """Load several recipes; the faults of all of them are reported together.

    Parameters
    ----------
    paths
        Their files.
    overrides
        What is put over each of them.

    Raises
    ------
    RecipeError
        With every fault of every file, each as ``file:line: table.key: found, expected``.
    """
    recipes: dict[str, Recipe] = {}
    faults: list[Fault] = []
    each: dict[str, Path] = {}
    for path in paths:
        each.setdefault(os.path.realpath(path), path)
    for path in each.values():
        found, wrong = _each(path, overrides)
        faults += wrong
        for recipe in found:
            if twin := recipes.get(recipe.name.casefold()):
                faults.append(recipe.lines.fault(("name",), f"found {recipe.name!r}, which {twin.source} has too"))
            recipes.setdefault(recipe.name.casefold(), recipe)
    wanted = {name.casefold(): name for name in overrides.only}
    for name in [] if faults else [name for key, name in wanted.items() if key not in recipes]:
        names = [recipe.name for recipe in recipes.values()]
        message = f"found no result of this name{did_you_mean(name, names)}, expected one of {', '.join(names)}"
        faults.append(Fault(next(iter(each.values())), 1, "", message, f"--only {name}"))
    if faults:
        raise RecipeError(tuple(faults))
    return tuple(recipe for key, recipe in recipes.items() if not wanted or key in wanted)


def load(path: Path, overrides: Overrides = NONE) -> Recipe:
    """Load the recipe of a file; ``overrides`` are put over it.

    Raises
    ------
    RecipeError
        With every fault of the file and of the base recipe that it names, or when it becomes several.
    """
    found, faults = _each(path, overrides)
    if faults:
        raise RecipeError(tuple(faults))
    if len(found) > 1:
        message = f"found {len(found)} recipes in the file, expected one"
        raise RecipeError((Fault(path, 1, "", message),))
    return found[0]


def _each(path: Path, overrides: Overrides) -> tuple[list[Recipe], list[Fault]]:
    """Load every recipe that a file becomes, and give the faults of all."""
    recipes = list[Recipe]()
    try:
        opened, versions, listed = versions_of(open_recipe(path), overrides)
    except RecipeError as error:
        return [], [*error.faults]
    faults = [*listed]
    for version in versions:
        try:
            recipes.append(_recipe(opened, version))
        except RecipeError as error:
            faults += error.faults
    return recipes, faults


def _recipe(opened: Opened, version: Version) -> Recipe:
    """Load one of the recipes that a file becomes."""
    remotes: dict[Path, Remote] = {}
    over, path = version.overrides, opened.lines.path
    try:
        lines, file = validated(opened, [one for one in over if not _is_of_the_base(one, opened)], over, remotes)
    except RecipeError as error:
        raise RecipeError((*error.faults, *_faults_of_the_base(path, opened, over))) from error
    base_lines, base_file = lines, file
    if file.base.from_:
        base_lines, base_file = _base_of(open_recipe(file.base.from_, because=lines), opened, over, remotes)
        if base_file.base.from_:
            message = "found a base recipe that names another, expected the base itself"
            raise RecipeError((base_lines.fault(("base", "from"), message),))
        if not base_file.target and (unused := [t for t in _OF_A_TARGET if t in base_file.model_fields_set]):
            # of a recipe with a target they are that target's; here they would be of none
            raise RecipeError(
                tuple(
                    base_lines.fault(
                        (table,),
                        f"found [{table}] in the recipe of a base alone, expected it in the recipe of a target",
                    )
                    for table in unused
                )
            )
    _agree(file, lines, base_file, base_lines)
    checkpoint, checkpoint_lines = _checkpoint(file, lines, base_file, base_lines)
    _refuse_unfit_presets(checkpoint, ((lines, file), (base_lines, base_file)))
    recipe = Recipe(
        name=file.name,
        method=file.method,
        base_name=_base_name(base_file.name if base_file is not file else version.base or file.name, over),
        checkpoint=checkpoint,
        base=base_file.base,
        target=file.target,
        merge=_own(file, base_file, "merge").merge,
        trainer=_own(file, base_file, "trainer").trainer,
        samples=file.samples,
        refine=file.refine,
        distill=file.distill,
        deliver=file.deliver,
        control=file.control,
        rules={**base_file.rules, **file.rules},
        lines=lines,
        base_lines=base_lines,
        checkpoint_lines=checkpoint_lines,
        preset=file.preset,
        base_preset=base_file.preset,
        remotes=remotes,
    )
    if faults := (*across_tables(recipe), *_other_digest(recipe)):
        raise RecipeError(faults)
    return recipe


def _base_name(name: str, overrides: Iterable[Override]) -> str:
    """Give the name of a base, other than that of the same file's for other recipes."""
    labels = dict.fromkeys(one.label for one in overrides if one.label and one.where[0] in _OF_A_BASE)
    return narrowed("-".join([name, *labels]))


def _other_digest(recipe: Recipe) -> Iterator[Fault]:
    """Refuse a checkpoint of a hub that is another than the recipe's digest says, before it is fetched."""
    remote, wanted = recipe.remotes.get(recipe.checkpoint.path), recipe.checkpoint.sha256
    if remote and wanted and remote.digest != wanted:
        message = f"found {wanted}, but {remote.address} has {remote.digest}"
        yield recipe.fault(("checkpoint", "sha256"), message)


def _is_of_the_base(override: Override, opened: Opened) -> bool:
    """Tell whether a value is not the recipe's own, but that of the base recipe that it names."""
    table, base = override.where[0], opened.tables.get("base")
    if not (isinstance(base, dict) and "from" in base):
        return False
    return override.where[1:] != ("from",) if table == "base" else table in _OF_BOTH and table not in opened.tables


def _base_of(
    base: Opened, opened: Opened, overrides: Sequence[Override], remotes: dict[Path, Remote]
) -> tuple[Lines, RecipeFile]:
    """Validate a base recipe, with what is put over it."""
    shared = [table for table in _OF_BOTH if table in base.tables]
    own = [one for one in overrides if _is_of_the_base(one, opened) or one.where[0] in shared]
    if "characters" in base.tables:  # they are characters on the base that is written there
        of_the_list = {"characters", "target", *_OF_A_TARGET}
        tables = {key: value for key, value in base.tables.items() if key not in of_the_list}
        base = replace(base, tables={"name": narrowed(base.lines.path.stem), **tables})
    return validated(base, own, overrides, remotes)


def _faults_of_the_base(path: Path, opened: Opened, overrides: Sequence[Override]) -> tuple[Fault, ...]:
    """Faults of the base recipe that a faulty recipe names, where that much can be known."""
    match opened.tables.get("base"):
        case {"from": str(named)} if (path.parent / named).exists():
            try:
                _base_of(open_recipe(path.parent / named), opened, overrides, {})
            except RecipeError as error:
                return error.faults
            except (OSError, ValueError, NetworkFailed):
                return ()
    return ()


def _own(file: RecipeFile, base: RecipeFile, table: str) -> RecipeFile:
    """Give the file whose table counts: the recipe's own, or the base recipe's where it has none."""
    return file if table in file.model_fields_set else base


def _agree(file: RecipeFile, lines: Lines, base: RecipeFile, base_lines: Lines) -> None:
    """Refuse a trainer or merge that differs from the base recipe's: the base would be trained once more."""
    for table in ("trainer", "merge"):
        both = table in file.model_fields_set and table in base.model_fields_set
        if both and base is not file and getattr(file, table) != getattr(base, table):
            message = f"found another [{table}] than in the base's recipe, expected the same, or one of them alone"
            raise RecipeError((lines.fault((table,), message), base_lines.fault((table,), "and here")))


def _checkpoint(file: RecipeFile, lines: Lines, base: RecipeFile, base_lines: Lines) -> tuple[Checkpoint, Lines]:
    if file.checkpoint and base.checkpoint and file.checkpoint != base.checkpoint:
        other = base_lines.fault(("checkpoint",), "and here")
        raise RecipeError((lines.fault(("checkpoint",), "found two checkpoints that differ, expected one"), other))
    if file.checkpoint:
        return file.checkpoint, lines
    if base.checkpoint:
        return base.checkpoint, base_lines
    raise RecipeError((lines.fault(("checkpoint",), "missing; expected a table with family and path"),))


def _refuse_unfit_presets(checkpoint: Checkpoint, files: Iterable[tuple[Lines, RecipeFile]]) -> None:
    """Refuse a preset for checkpoints that predict velocity where the recipe's checkpoint predicts noise."""
    faults = {
        where.path: where.fault(
            ("preset",),
            f"found {file.preset!r}, whose settings are for checkpoints that predict velocity; expected "
            "v_prediction = true in [checkpoint], or another preset",
        )
        for where, file in files
        if file.preset and PRESETS[file.preset].v_prediction and not checkpoint.v_prediction
    }
    if faults:
        raise RecipeError(tuple(faults.values()))
