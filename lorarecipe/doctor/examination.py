"""Look at everything that a recipe needs of this machine, in one list."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from lorarecipe.dataset import Known, scan
from lorarecipe.doctor.capacity import disks, memory
from lorarecipe.doctor.engine import engines
from lorarecipe.doctor.finding import Finding, absent, present
from lorarecipe.doctor.programs import programs
from lorarecipe.doctor.surroundings import clock, encodings, folders, shared, token
from lorarecipe.errors import CheckFailed, MachineNotReady, RecipeError, count
from lorarecipe.files import home
from lorarecipe.plan import Plan, Stage, compile_plan
from lorarecipe.recipe import Recipe
from lorarecipe.rules import check
from lorarecipe.run import Here
from lorarecipe.run.pulls import Pulls, pulls_of
from lorarecipe.store import Store
from lorarecipe.trainer import find_trainer


def examine(recipes: Sequence[Recipe], out: Path) -> tuple[Finding, ...]:
    """Say what a run of the recipes of one file into ``out`` needs, and without a recipe what every run needs."""
    store = Store(home() / "store")
    recipe = recipes[0] if recipes else None
    results = out / recipe.name if recipe else out
    plan, of_the_recipe = _planned(recipes) if recipes else (None, [])
    lacking = [stage for stage in plan.stages if not store.find(stage.short)] if plan else []
    pulls = pulls_of(plan, store) if plan else Pulls()
    missing = pulls.to_make(lacking)
    of_the_trainer, torch = engines(recipe)
    able = not any(finding.state == "lack" for finding in of_the_trainer)
    return (
        *programs(recipe),
        *of_the_trainer,
        *memory(recipe, missing, torch),
        *disks(plan, lacking, pulls.sizes, store, out),
        *folders(home(), results),
        *shared(),
        *encodings([home(), results.absolute(), *(path for one in recipes for path in _paths(one))]),
        clock(home()),
        token(),
        *of_the_recipe,
        *([_required(plan, missing, store)] if plan and able else []),
    )


def as_json(recipe: Path | None, findings: tuple[Finding, ...]) -> dict[str, object]:
    """Give the findings in the form of ``doctor --json``."""
    return {
        "recipe": str(recipe) if recipe else None,
        "ready": is_ready(findings),
        "findings": [asdict(finding) for finding in findings],
    }


def is_ready(findings: tuple[Finding, ...]) -> bool:
    """Tell whether all is there that is needed."""
    return all(finding.state != "lack" for finding in findings)


def _planned(recipes: Sequence[Recipe]) -> tuple[Plan | None, list[Finding]]:
    """Compile the recipes' plan, as far as their files are there."""
    try:
        known = Known()
        checked = [check(scan(recipe, known=known)) for recipe in recipes]
        plan = compile_plan(checked)
    except (RecipeError, CheckFailed, OSError) as problem:
        return None, [absent("files of the recipe", str(problem), "correct the recipe or the files", needed=True)]
    findings = [present("files of the recipe", f"a plan of {count(len(plan.stages), 'stage')}")]
    if errors := {error for one in checked for error in one.errors}:
        found = f"the check finds {count(len(errors), 'error')} in images, captions or settings"
        advice = f"run: lorarecipe check {recipes[0].source}"
        findings.append(absent("check of the images", found, advice, needed=True))
    return plan, findings


def _required(plan: Plan, missing: list[Stage], store: Store) -> Finding:
    """Ask the worker, as a run does before it starts."""
    what = "files and optimizers"
    try:
        Here(find_trainer(plan.engine), store).require(missing, plan.titles)
    except (MachineNotReady, CheckFailed, OSError) as problem:
        return absent(what, str(problem), "correct the recipe, or put the file where it is looked for", needed=True)
    return present(what, "all files are there, and the trainer takes the optimizers")


def _paths(recipe: Recipe) -> Iterator[Path]:
    """Name the files and folders of a recipe."""
    yield recipe.source.absolute()
    yield from (path.absolute() for path in recipe.checkpoint.components.values())
    yield from (character.images.absolute() for character in recipe.base.characters)
    if recipe.target:
        yield from (folder.absolute() for _, folder, _ in recipe.target.parts)
