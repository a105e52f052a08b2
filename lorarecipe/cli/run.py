"""``lorarecipe run``."""

from __future__ import annotations

import shlex
from contextlib import closing
from pathlib import Path

import click

from lorarecipe.cli.options import (
    allowed,
    is_quiet,
    planned,
    recipes,
    say,
    say_json,
    sound,
    verbose_option,
    wrapped,
)


@click.command("run")
@recipes
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
@click.option("--rehearse", is_flag=True, help="Try every stage in miniature, on the CPU, into OUT/rehearsal.")
def command(
    recipes: tuple[Path, ...], out: Path, as_json: bool, verbose: bool, allow: tuple[str, ...], rehearse: bool
) -> None:
    """Check, then train base and target.

    Leaves OUT/<name>/<name>.safetensors with run.json beside it. A base that several recipes share is trained
    once; what was finished before is not made again.

    Ctrl-C (or SIGTERM) has a training finish its step and save its state; a second one stops it at once. The same
    command goes on from there.

    With --rehearse the same images and captions go through every stage on a checkpoint of a few million parameters
    that comes with lorarecipe: about a minute for a hundred images, before a GPU is rented.
    """
    from lorarecipe.errors import Interrupted
    from lorarecipe.files import home
    from lorarecipe.live import Outcome, course_of, last_lines, rehearsed, show
    from lorarecipe.plan import plan_of_fetches
    from lorarecipe.recipe import load_all
    from lorarecipe.report import refreshed, write_report
    from lorarecipe.run import Arguments, Here, ResultsFailed, begin_run, execute, fold, noted, write_results
    from lorarecipe.store import Store
    from lorarecipe.trainer import find_trainer

    if not rehearse and (fetches := plan_of_fetches(load_all(recipes))).stages:
        fetcher = Here(find_trainer(fetches.engine), Store(home() / "store"))
        fetching = show(execute(fetches, fetcher, out), course_of(fetches), as_json=as_json, quiet=is_quiet())
        fold(fetching)
    checked = sound(recipes, allow)
    plan, differences = planned(checked, rehearse=rehearse)
    paths = [str(path.absolute()) for path in recipes]
    asked = Arguments(recipes=paths, out=str(out.absolute()), allow=list(allow), rehearse=rehearse)
    worker = Here(find_trainer(plan.engine), Store(home() / "store"))
    results = out / "rehearsal" if rehearse else out
    findings = [str(finding) for one in checked for finding in one.findings]
    run = begin_run(home() / "runs", plan, asked, findings)
    if as_json:
        say_json({"event": "run", "run": run.name, "rehearsal": rehearse, "stages": len(plan.stages)})
    failure, outcome = None, Outcome()
    try:
        with closing(noted(execute(plan, worker, results), run)) as events:
            passed = refreshed(events, run, worker.trainer, worker.store)
            for event in show(passed, course_of(plan), as_json=as_json, quiet=is_quiet(), verbose=verbose):
                outcome.add(event)
    except ResultsFailed as some:
        failure = some
    except Interrupted as stopped:
        words = _again(recipes, out, allow, rehearse=rehearse)
        raise Interrupted(stopped.signum, f"to go on, run\n{shlex.join(words)}") from None
    finally:
        # where nothing began, the folder may be somebody else's
        pages = write_report(run, worker.trainer, worker.store) if run.record.stages else []
        if as_json:
            say_json({"event": "end", "run": run.name, "state": run.record.state, "message": run.record.message})
    list(write_results(run.record, plan, results))
    if not as_json:
        files = [file.path for files in run.record.files.values() for file in files]
        for path in [*files, *(results / page.parent.name / page.name for page in pages)]:
            say(path)
    if rehearse and not failure:
        again = fold(execute(plan, worker, results))
        say(rehearsed(run.record.stages, [*again.stages.values()], differences), err=True)
    elif not rehearse and not as_json:
        by_name = {page.parent.name: page for page in pages}
        for line in last_lines(plan.deliveries, outcome, by_name):
            say(wrapped(line, 8), err=True)
    if failure:
        raise failure


def _again(recipes: tuple[Path, ...], out: Path, allow: tuple[str, ...], *, rehearse: bool) -> list[str]:
    """Give the words of the command that goes on."""
    words = ["lorarecipe", "run", *map(str, recipes), "--out", str(out)]
    return [*words, *(word for code in allow for word in ("--allow", code)), *(["--rehearse"] if rehearse else [])]
