"""``lorarecipe runs``."""

from __future__ import annotations

import click

from lorarecipe.cli.options import say, say_json


@click.command("runs")
@click.option("--json", "as_json", is_flag=True, help="Print each run's record as one line of JSON.")
def command(as_json: bool) -> None:
    """List the runs, newest first: name, how it ended, what of."""
    from lorarecipe.files import home
    from lorarecipe.run import all_runs

    for run in all_runs(home() / "runs"):
        if as_json:
            say_json(run.record.model_dump(exclude_unset=True) | {"run": run.name, "state": run.state})
        else:
            outcomes = [stage.outcome for stage in run.record.stages]
            made, reused = outcomes.count("made"), outcomes.count("reused")
            asked = run.record.arguments
            rehearsal = "rehearsal  " if asked.rehearse else ""
            recipes = " ".join(asked.recipes)
            say(f"{run.name}  {run.state:11}  {rehearsal}{made} made, {reused} reused  {recipes}")
