"""``lorarecipe plan``."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import as_json_option, plan_all, recipes, say, say_json
from lorarecipe.cli.overriding import with_lists, words_of
from lorarecipe.errors import count, data_size

if TYPE_CHECKING:
    from lorarecipe.plan import Plan, Stage
    from lorarecipe.recipe import Overrides
    from lorarecipe.run.pulls import Pulls
    from lorarecipe.store import Store


@click.command("plan")
@recipes
@with_lists
@click.option("--commands", is_flag=True, help="Print each stage's exact command line and files too.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    metavar="STEPS_A_SECOND",
    help="Estimate the time of trainings at this speed; by default as earlier ones on this machine.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Estimate the time for N stages side by side.",
)
@click.option(
    "--gpu",
    type=click.FloatRange(min=0, min_open=True),
    metavar="GB",
    help="Compare with this much GPU memory; by default with that of this machine.",
)
@click.option(
    "--sbatch",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write files for Slurm into DIR, a new or an empty folder; DIR/submit.sh submits them.",
)
@click.option(
    "--sky",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.yaml",
    help="Write a SkyPilot task, which makes the results on a rented pod, into a new file.",
)
@as_json_option
def command(
    recipes: tuple[Path, ...],
    overrides: Overrides,
    commands: bool,
    speed: float | None,
    jobs: int,
    gpu: float | None,
    sbatch: Path | None,
    sky: Path | None,
    as_json: bool,
) -> None:
    """Print what `run` would do, why, and what it takes. Starts nothing and needs no trainer."""
    from lorarecipe.cli.estimates import estimate, facts_of, lines_of
    from lorarecipe.cli.pods import write_sky
    from lorarecipe.files import home
    from lorarecipe.run.pulls import pulls_of
    from lorarecipe.run.reuse import reason
    from lorarecipe.store import Store

    if sbatch and sbatch.is_dir() and any(sbatch.iterdir()):
        raise click.BadParameter(f"{sbatch} holds files, expected a new or an empty folder", param_hint="--sbatch")
    if sky and os.path.lexists(sky):
        raise click.BadParameter(f"{sky} is there already, expected the name of a new file", param_hint="--sky")
    plan, store = plan_all(recipes, overrides), Store(home() / "store")
    if sbatch:
        _write_sbatch(plan, overrides, sbatch)
    if sky:
        write_sky(plan, recipes, overrides, sky)
    pulls = pulls_of(plan, store)
    found = estimate(plan, store, pulls, speed, jobs, gpu)
    if as_json:
        stages = [
            {
                "name": stage.short,
                "kind": stage.kind,
                "title": plan.title(stage),
                "results": [delivery.name for delivery in plan.needed_by(stage)],
                "needs": [part.short for part in stage.inputs if part.key in plan.titles],
                "runs_because": reason(stage, plan, store, pulls.sizes),
                "sum": [*stage.sum],
                "command": [*_command(stage, plan.engine, store)] if commands else None,
            }
            for stage in plan.stages
        ]
        say_json({"stages": stages, **_shared_facts(pulls), "estimates": facts_of(found, plan)})
        return
    for stage in plan.stages:
        why = reason(stage, plan, store, pulls.sizes)
        say(f"{stage.short}  {plan.title(stage)}")
        if stage.short in pulls.sizes:
            say(f"  pulled: {data_size(pulls.sizes[stage.short])} from {pulls.address}")
        else:
            say(f"  {'reused' if why is None else f'runs: {why}'}")
        if len(plan.deliveries) > 1:
            for line in _in_the_graph(stage, plan):
                say(line)
        for line in stage.sum:
            say(f"  {line}")
        if commands:
            click.echo("".join(f"  {line}\n" for line in _command(stage, plan.engine, store)), nl=False)
    pulled = len(pulls.sizes)
    runs = sum(store.find(stage.short) is None for stage in plan.stages) - pulled
    if len(plan.deliveries) > 1:
        shared = sum(len(plan.needed_by(stage)) > 1 for stage in plan.stages)
        say(f"{count(len(plan.deliveries), 'result')}, which share {count(shared, 'stage')}")
    if pulled:
        size, reused = data_size(sum(pulls.sizes.values())), len(plan.stages) - runs - pulled
        say(f"{count(len(plan.stages), 'stage')}: {runs} to run, {pulled} to pull ({size}), {reused} reused")
    else:
        say(f"{count(len(plan.stages), 'stage')}: {runs} to run, {len(plan.stages) - runs} reused")
    for line in lines_of(found, plan, jobs):
        say(line)
    for path in (sbatch and sbatch / "submit.sh", sky):
        if path:
            say(path)


def _in_the_graph(stage: Stage, plan: Plan) -> Iterator[str]:
    """Say what a stage is made from, and how many results share it."""
    if needs := ", ".join(part.short for part in stage.inputs if part.key in plan.titles):
        yield f"  made from {needs}"
    if (shared := len(plan.needed_by(stage))) > 1:
        yield f"  for {count(shared, 'result')}"


def _shared_facts(pulls: Pulls) -> dict[str, object]:
    """Give what the shared store has as JSON; nothing where none is named."""
    if not pulls.address and not pulls.problem:
        return {}
    pulled = [{"name": name, "bytes": size} for name, size in pulls.sizes.items()]
    return {"shared_store": {"address": pulls.address or None, "pulled": pulled, "problem": pulls.problem or None}}


def _write_sbatch(plan: Plan, overrides: Overrides, folder: Path) -> None:
    from lorarecipe.batch import groups_of, sbatch_files
    from lorarecipe.files import write_atomic

    options = words_of(replace(overrides, only=()))
    for name, text in sbatch_files(groups_of(plan), Path.cwd(), options).items():
        write_atomic(folder / name, os.fsencode(text))


def _command(stage: Stage, engine: str, store: Store) -> Iterator[str]:
    from lorarecipe.run.makers import MAKERS
    from lorarecipe.trainer import find_trainer

    built = MAKERS[stage.kind].prepare(stage, find_trainer(engine), store).command
    if built is None:
        return
    yield "$ " + " ".join(f"{name}={shlex.quote(value)}" for name, value in built.env.items()) + " \\"
    yield f"  {shlex.join(built.argv)}"
    for name, text in built.files.items():
        yield f"{built.folder / name}:"
        yield from (f"  {line}" for line in text.splitlines())
