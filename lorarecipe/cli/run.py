"""``lorarecipe run``."""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorarecipe.cli.options import (
    allowed,
    devices_option,
    is_quiet,
    jobs_option,
    planned,
    ray_option,
    recipes,
    say,
    say_json,
    sound,
    verbose_option,
    wrapped,
)
from lorarecipe.cli.overriding import with_lists, words_of

if TYPE_CHECKING:
    from lorarecipe.live import Summary
    from lorarecipe.recipe import Overrides
    from lorarecipe.rules import Checked
    from lorarecipe.run import Worker


@click.command("run")
@recipes
@with_lists
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out"),
    show_default=True,
    help="Folder of results.",
)
@click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
@verbose_option
@allowed
@jobs_option
@devices_option
@ray_option
@click.option("--rehearse", is_flag=True, help="Try every stage in miniature, on the CPU, into OUT/rehearsal.")
def command(
    recipes: tuple[Path, ...],
    overrides: Overrides,
    out: Path,
    as_json: bool,
    verbose: bool,
    allow: tuple[str, ...],
    jobs: int | None,
    devices: tuple[int, ...] | None,
    ray: str | None,
    rehearse: bool,
) -> None:
    """Check, then train base and target.

    Leaves OUT/<name>/<name>.safetensors with run.json beside it. A base that several recipes share is trained
    once; what was finished before is not made again.

    Ctrl-C (or SIGTERM) has a training finish its step and save its state; a second one stops it at once. The same
    command goes on from there.

    Where there are several GPUs, stages that do not need each other are made side by side, one on each. With --ray,
    the machines of a Ray cluster make them (`lorarecipe help scale`).

    With --rehearse the same images and captions go through every stage on a checkpoint of a few million parameters
    that comes with lorarecipe: about a minute for a hundred images, before a GPU is rented.
    """
    from lorarecipe.cluster import on_cluster
    from lorarecipe.errors import Interrupted
    from lorarecipe.files import home
    from lorarecipe.live import Outcome, course_of, last_lines, rehearsed, show, summaries
    from lorarecipe.report import refreshed, write_report
    from lorarecipe.run import (
        Arguments,
        NotSent,
        ResultsFailed,
        begin_run,
        execute,
        fold,
        noted,
        with_shared_store,
        workers_of,
        write_results,
    )
    from lorarecipe.store import Store
    from lorarecipe.trainer import find_trainer

    if ray and devices:
        raise click.UsageError("found --devices beside --ray: Ray itself gives each stage its GPUs")
    to_go_on = _again(recipes, overrides, out, allow, jobs, devices, ray, rehearse=rehearse)
    if ray:  # its processes work in other folders
        recipes = tuple(path.absolute() for path in recipes)
    checked = sound(recipes, allow, overrides)
    try:
        if not rehearse and _fetched(checked, out, as_json=as_json):
            checked = sound(recipes, allow, overrides)  # some rules look into the checkpoint
    except Interrupted as stopped:
        raise Interrupted(stopped.signum, to_go_on) from None
    plan, differences = planned(checked, rehearse=rehearse)
    paths = [str(path.absolute()) for path in recipes]
    asked = Arguments(
        recipes=paths,
        out=str(out.absolute()),
        allow=list(allow),
        rehearse=rehearse,
        sets=list(overrides.sets),
        sweeps=list(overrides.sweeps),
        characters=str(overrides.characters.absolute()) if overrides.characters else None,
        only=list(overrides.only),
    )
    trainer, store = find_trainer(plan.engine), Store(home() / "store")
    workers: Sequence[Worker]
    if ray:
        workers = click.get_current_context().with_resource(on_cluster(ray, plan, store, jobs))
    else:
        workers = workers_of(plan, trainer, store, jobs, devices)
    workers = workers if rehearse else with_shared_store(workers)
    results = out / "rehearsal" if rehearse else out
    findings = [str(finding) for one in checked for finding in one.findings]
    run = begin_run(home() / "runs", plan, asked, findings)
    if as_json:
        say_json({"event": "run", "run": run.name, "rehearsal": rehearse, "stages": len(plan.stages)})
    failure, outcome = None, Outcome()
    try:
        with closing(noted(execute(plan, workers, results), run)) as events:
            passed, course = refreshed(events, run, trainer, store), course_of(plan, len(workers))
            for event in show(passed, course, as_json=as_json, quiet=is_quiet(), verbose=verbose):
                outcome.add(event)
    except (ResultsFailed, NotSent) as some:
        failure = some
    except Interrupted as stopped:
        raise Interrupted(stopped.signum, to_go_on) from None
    finally:
        # where nothing began, the folder may be somebody else's
        pages = write_report(run, trainer, store) if run.record.stages else []
        if as_json:
            say_json({"event": "end", "run": run.name, "state": run.record.state, "message": run.record.message})
    list(write_results(run.record, plan, results))
    if not as_json:
        files = [Path(file.path) for files in run.record.files.values() for file in files]
        for path in [*files, *(results / page.parent.name / page.name for page in pages)]:
            say(path)
    if rehearse and not failure:
        again = fold(execute(plan, workers, results))
        say(rehearsed(run.record.stages, [*again.stages.values()], differences), err=True)
    elif not rehearse and not as_json:
        by_name = {page.parent.name: page for page in pages}
        for line in last_lines(plan.deliveries, outcome, by_name):
            say(wrapped(line, 8), err=True)
        if len(plan.deliveries) > 1:
            _sum_up(summaries(plan.deliveries, outcome))
            if any(delivery.arms for delivery in plan.deliveries):
                say(f"The pictures of all of them beside each other: lorarecipe report {run.name}", err=True)
    if failure:
        raise failure


def _fetched(checked: Sequence[Checked], out: Path, *, as_json: bool) -> bool:
    """Fetch what recipes name on a hub and the store lacks; all else that can be known before is looked at first."""
    from lorarecipe.files import home
    from lorarecipe.live import course_of, show
    from lorarecipe.plan import compile_plan, plan_of_fetches
    from lorarecipe.run import Here, execute
    from lorarecipe.store import Store
    from lorarecipe.trainer import find_trainer

    recipes = [one.dataset.recipe for one in checked]
    plan = plan_of_fetches(recipes)
    worker = Here(find_trainer(plan.engine), Store(home() / "store"))
    if all(worker.store.find(stage.short) for stage in plan.stages):
        return False
    compile_plan(checked)
    for family in sorted({recipe.checkpoint.family for recipe in recipes}):
        worker.trainer.require(family)
    deque(show(execute(plan, worker, out), course_of(plan), as_json=as_json, quiet=is_quiet()), maxlen=0)
    return True


def _sum_up(results: Sequence[Summary]) -> None:
    """Put the results of a run beside each other."""
    from rich.console import Console

    from lorarecipe.live import draws_tables, summary_table

    console = Console(stderr=True, highlight=False)
    say("", err=True)
    if draws_tables(console) and not is_quiet():
        console.print(summary_table(results))
    else:
        for one in results:
            say(one, err=True)


def _again(
    recipes: tuple[Path, ...],
    overrides: Overrides,
    out: Path,
    allow: tuple[str, ...],
    jobs: int | None,
    devices: tuple[int, ...] | None,
    ray: str | None,
    *,
    rehearse: bool,
) -> str:
    """Say which command goes on."""
    words = ["lorarecipe", "run", *map(str, recipes), *words_of(overrides), "--out", str(out)]
    words += [word for code in allow for word in ("--allow", code)]
    words += ["--jobs", str(jobs)] if jobs else []
    words += ["--devices", ",".join(map(str, devices))] if devices else []
    words += ["--ray", ray] if ray else []
    words += ["--rehearse"] if rehearse else []
    return f"to go on, run\n{shlex.join(words)}"
