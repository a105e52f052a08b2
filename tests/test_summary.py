"""What a run of several results says of all of them, and what a plan says they share."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from lorarecipe.dataset import scan
from lorarecipe.events import Delivered, Finished, Gated, Measured
from lorarecipe.live import Outcome, summaries, summary_table
from lorarecipe.measures.advice import advice, advised_point
from lorarecipe.plan import Plan, TrainStage, compile_plan
from lorarecipe.recipe import Overrides, load_all
from lorarecipe.records import Row
from lorarecipe.rules import check
from tests.test_cli import _call

ROWS = (
    Row("without", None, 0.0, 4, {"palette": 30.0, "look_3d": 0.0, "white_border": 0.1}),
    Row("target", None, 0.75, 4, {"palette": 20.0, "look_3d": 0.05, "white_border": 0.1}),
    Row("target", None, 1.0, 4, {"palette": 12.34, "look_3d": 0.1, "white_border": 0.1}),
)


@pytest.fixture
def plan(folder: Path) -> Plan:
    """Three strengths of the merge, and the base's gate."""
    overrides = Overrides(sets=("base.gate.mode=report",), sweeps=("merge.strength=0.8,0.9,1.0",))
    return compile_plan([check(scan(recipe)) for recipe in load_all([folder / "recipe.toml"], overrides)])


def _outcome(plan: Plan) -> Outcome:
    outcome = Outcome()
    for stage in plan.stages:
        outcome.add(Finished(stage.key, "", stage.kind, 100.0, {}))
    base, merged = plan.deliveries[0].gate
    outcome.add(Gated(base.key, "aoi", "base", "pass", ()))
    outcome.add(Gated(merged.key, "aoi", "merged", "doubtful", ()))
    for delivery in plan.deliveries[:2]:
        outcome.add(Delivered(delivery.name, f"out/{delivery.name}/{delivery.name}.safetensors", "00"))
    outcome.add(Measured(plan.deliveries[0].name, ROWS, str(advice(ROWS))))
    outcome.add(Measured(plan.deliveries[1].name, ROWS, ""))
    return outcome


def test_a_line_for_each_result(plan: Plan) -> None:
    results = summaries(plan.deliveries, _outcome(plan))
    # its own stages: merge, target, pictures and verdict of the merged checkpoint
    figures = "gate doubtful, weight 1, unlike 12.3, leak 0.40, 0:06:40"
    assert [str(one) for one in results] == [
        f"aoi-strength0.8: {figures}, out/aoi-strength0.8/aoi-strength0.8.safetensors",
        "aoi-strength0.9: gate pass, 0:06:40, out/aoi-strength0.9/aoi-strength0.9.safetensors",
        "aoi-strength1.0: gate pass, 0:06:40, not made",
    ]


def test_a_table_within_80_columns(plan: Plan) -> None:
    file = io.StringIO()
    Console(file=file, width=80).print(summary_table(summaries(plan.deliveries, _outcome(plan))))
    lines = file.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert lines[0].split() == ["result", "gate", "weight", "unlike", "leak", "time", "LoRA"]
    whole = "".join("".join(line.split()) for line in lines)
    assert "…" not in whole
    assert [line.split()[1:6] for line in lines if "0:06:40" in line] == [
        ["doubtful", "1", "12.3", "0.40", "0:06:40"],
        ["pass", "-", "-", "-", "0:06:40"],
        ["pass", "-", "-", "-", "0:06:40"],
    ]


def test_what_is_advised_is_one_of_the_points() -> None:
    assert advised_point(ROWS[:1]) is None
    point = advised_point(ROWS)
    assert point
    assert (point.weight, point.unlike, point.leak) == (1.0, 12.34, 0.4)


def test_each_merge_says_how_much_of_the_base_it_takes(plan: Plan) -> None:
    titles = [plan.title(stage) for stage in plan.stages if stage.kind == "merge"]
    assert titles == [
        "base aoi merged into checkpoint.safetensors at strength 0.8",
        "base aoi merged into checkpoint.safetensors at strength 0.9",
        "base aoi merged into checkpoint.safetensors",
    ]
    assert len({title for title in plan.titles.values() if "gate" in title}) == 8


def test_a_plan_says_what_is_shared(folder: Path) -> None:
    code, out, _ = _call(folder, "plan", "recipe.toml", "--sweep", "target.training.rank=1,2,3,4")
    assert code == 0
    stages = {lines[0].partition("  ")[2]: lines[1:] for part in _parts(out) if (lines := part.splitlines())}
    base, images = stages["base aoi"], stages["images of aoi-rank1 and 3 more"]
    assert "  for 4 results" in base
    assert "  for 4 results" in images
    assert not any("results" in line for line in stages["target aoi-rank3"])
    [line] = [line for line in stages["target aoi-rank3"] if "made from" in line]
    assert [part.partition("-")[0] for part in line.removeprefix("  made from ").split(", ")] == ["data", "merge"]
    assert "4 results, which share 4 stages\n8 stages: 8 to run, 0 reused\n" in out


def test_a_plan_says_the_same_to_programs(folder: Path) -> None:
    told = json.loads(_call(folder, "plan", "recipe.toml", "--sweep", "target.training.rank=1,2", "--json")[1])
    stages = {stage["title"]: stage for stage in told["stages"]}
    assert stages["base aoi"]["results"] == ["aoi-rank1", "aoi-rank2"]
    assert stages["target aoi-rank2"]["results"] == ["aoi-rank2"]
    assert stages["base aoi"]["needs"] == [stages["images of the base aoi"]["name"]]


def test_a_plan_of_one_result_says_nothing_of_others(folder: Path) -> None:
    out = _call(folder, "plan", "recipe.toml")[1].partition("estimates")[0]
    assert "made from" not in out
    assert "result" not in out


def _parts(out: str) -> list[str]:
    """Split a plan at its stages."""
    parts: list[str] = []
    for line in out.splitlines():
        if line.startswith(" ") and parts:
            parts[-1] += f"\n{line}"
        else:
            parts.append(line)
    return parts


def test_trainings_are_shared_where_nothing_differs(plan: Plan) -> None:
    [base] = [stage for stage in plan.stages if isinstance(stage, TrainStage) and stage.role == "base"]
    assert [delivery.name for delivery in plan.needed_by(base)] == [
        "aoi-strength0.8",
        "aoi-strength0.9",
        "aoi-strength1.0",
    ]
