"""Read a recipe file, and the base recipe that it names, reporting every fault at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from lorarecipe.errors import Fault, NetworkFailed, RecipeError, did_you_mean
from lorarecipe.files import read_file
from lorarecipe.hub import Remote
from lorarecipe.recipe.across import across_tables
from lorarecipe.recipe.decoding import text_of
from lorarecipe.recipe.escapes import mended
from lorarecipe.recipe.lines import Lines, locate
from lorarecipe.recipe.model import Checkpoint, RecipeFile
from lorarecipe.recipe.presets import PRESETS, fill
from lorarecipe.recipe.whole import Recipe
from lorarecipe.recipe.words import faults_of

#: bytes of a recipe: a list of ten thousand images has one million
_LARGEST = 4_000_000
#: tables and arrays within each other; a recipe has four
_DEEPEST = 32


def load_all(paths: Iterable[Path]) -> tuple[Recipe, ...]:
    """Load several recipes; the faults of all of them are reported together.

    Raises
    ------
    RecipeError
        With every fault of every file, each as ``file:line: table.key: found, expected``.
    """
    recipes: list[Recipe] = []
    faults: list[Fault] = []
    for path in paths:
        try:
            recipe = load(path)
        except RecipeError as error:
            faults += error.faults
            continue
        twin = next((other for other in recipes if other.name.casefold() == recipe.name.casefold()), None)
        if twin and twin.source.resolve() != recipe.source.resolve():
            faults.append(recipe.lines.fault(("name",), f"found {recipe.name!r}, which {twin.source} has too"))
        elif not twin:
            recipes.append(recipe)
    if faults:
        raise RecipeError(tuple(faults))
    return tuple(recipes)


#: tables that say nothing of a base
_OF_A_TARGET = ("samples", "control", "deliver", "refine", "distill")


def load(path: Path) -> Recipe:
    """Load one recipe.

    Raises
    ------
    RecipeError
        With every fault of the file and of the base recipe that it names.
    """
    remotes: dict[Path, Remote] = {}
    try:
        lines, file = _read(path, remotes)
    except RecipeError as error:
        raise RecipeError((*error.faults, *_faults_of_the_base(path))) from error
    base_lines, base_file = lines, file
    if file.base.from_:
        base_lines, base_file = _read(file.base.from_, remotes, because=lines)
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
        base_name=base_file.name,
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


def _other_digest(recipe: Recipe) -> Iterator[Fault]:
    """Refuse a checkpoint of a hub that is another than the recipe's digest says, before it is fetched."""
    remote, wanted = recipe.remotes.get(recipe.checkpoint.path), recipe.checkpoint.sha256
    if remote and wanted and remote.digest != wanted:
        message = f"found {wanted}, but {remote.address} has {remote.digest}"
        yield recipe.fault(("checkpoint", "sha256"), message)


def _faults_of_the_base(path: Path) -> tuple[Fault, ...]:
    """Faults of the base recipe that a faulty recipe names, where that much can be known."""
    try:
        named = tomllib.loads(read_file(path, _LARGEST).decode("utf-8-sig"))["base"]["from"]
        _read(path.parent / named, {})
    except RecipeError as error:
        return error.faults if (path.parent / named).exists() else ()
    except (OSError, ValueError, KeyError, TypeError, RecursionError, NetworkFailed):
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


def _read(path: Path, remotes: dict[Path, Remote], because: Lines | None = None) -> tuple[Lines, RecipeFile]:
    """Read and validate one file; ``because`` is where it was named, and ``remotes`` takes what a hub will give."""
    text = _text_of(path, because)
    text, escaped = _readable(path, text)
    raw, lines = _tables_of(path, text, escaped), locate(path, text)
    if lines.depth > _DEEPEST:
        message = f"found {lines.depth} tables or arrays within each other, expected {_DEEPEST} at most"
        raise RecipeError((*escaped, Fault(path, 1, "", message)))
    faults = [*escaped, *_apply_preset(raw, lines)]
    own = _own_settings(raw)
    faults += _fill_refine(raw, lines)
    method = raw.get("method", "two-phase")
    if method in {"plain", "distill"}:
        raw.setdefault("base", {})
    try:
        file = RecipeFile.model_validate(raw, context={"folder": path.parent, "method": method, "remotes": remotes})
    except ValidationError as error:
        faults += _faults_in(error, lines, own, unknown_preset=len(faults) > len(escaped))
        raise RecipeError(tuple(faults)) from error
    if faults:
        raise RecipeError(tuple(faults))
    return lines, file


def _text_of(path: Path, because: Lines | None) -> str:
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise OSError(0, "not a file")
        content = read_file(path, _LARGEST)
    except OSError as problem:
        message = f"found {str(path)!r} ({problem.strerror}), expected a recipe"
        fault = because.fault(("base", "from"), message) if because else Fault(path, 1, "", message)
        raise RecipeError((fault,)) from problem
    return text_of(path, content)


def _readable(path: Path, text: str) -> tuple[str, tuple[Fault, ...]]:
    """Give a text that is no TOML for its backslashes alone as it was meant, so that its other faults are seen too."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        text, escaped = mended(text)
        return text, tuple(Fault(path, one.line, "", one.message) for one in escaped)
    return text, ()


def _tables_of(path: Path, text: str, escaped: tuple[Fault, ...]) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # a number of thousands of digits, tables a thousand deep
        line = re.search(r"at line (\d+)", str(problem))
        last = len(text.splitlines()) or 1
        fault = Fault(path, int(line[1]) if line else last, "", f"not TOML: {problem}")
        raise RecipeError((*escaped, fault)) from problem


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
