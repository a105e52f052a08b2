"""Files for Slurm: whole texts, names that shells would read as something else, and what a job does with a run."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from lorarecipe.batch import Group, groups_of, sbatch_files
from lorarecipe.cli import main
from lorarecipe.cli.options import plan_all
from lorarecipe.plan import Delivery

Edit = Callable[[str, str], Path]

_names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=30)


@pytest.fixture
def recipes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two targets on one base, one on a base of its own, and the first base alone."""
    text = (folder / "recipe.toml").read_text("utf-8")
    head, middle = text.index("[target]"), text.find("\n[", text.index("[target.training]"))
    alone = text[:head] + (text[middle:] if middle > 0 else "")
    texts = {
        "朱音.toml": text.replace('name = "aoi"', 'name = "朱音"'),
        "mid ori.toml": text.replace('name = "aoi"', 'name = "midori"'),
        "other.toml": text.replace('name = "aoi"', 'name = "other"').replace("rank = 4", "rank = 8", 1),
        "base.toml": alone.replace('name = "aoi"', 'name = "base"'),
    }
    for name, content in texts.items():
        (folder / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(folder)
    return [Path(name) for name in texts]


def test_recipes_of_one_base_are_a_group_and_the_base_alone_comes_first(recipes: list[Path]) -> None:
    groups = groups_of(plan_all(tuple(recipes)))
    assert [(_named(group.first), [*map(_named, group.others)]) for group in groups] == [
        ("base", ["朱音", "midori"]),
        ("other", []),
    ]


def _named(delivery: Delivery | None) -> str:
    return delivery.name if delivery else ""


def test_the_results_of_a_list(recipes: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each task makes one of them, with the same values over the recipe as the plan has."""
    words = ["plan", str(recipes[0]), "--sweep", "target.training.rank=2,4", "--set", "target.training.epochs=3"]
    assert CliRunner().invoke(main, [*words, "--sbatch", "jobs"]).exit_code == 0
    task = Path("jobs/results-1.sbatch").read_text("utf-8")
    assert "names=(\n  '朱音-rank4'\n)" in task
    monkeypatch.setenv("COLUMNS", "500")
    run = next(line for line in task.splitlines() if line.startswith("lorarecipe run"))
    options = shlex.split(run)[3:-3]
    assert options == ["--set", "target.training.epochs=3", "--sweep", "target.training.rank=2,4"]
    plan = CliRunner().invoke(main, ["plan", str(recipes[0]), *options, "--only", "朱音-rank4", "--json"]).output
    assert {name for stage in json.loads(plan)["stages"] for name in stage["results"]} == {"朱音-rank4"}


def test_the_files(recipes: list[Path], snapshot: SnapshotAssertion) -> None:
    done = CliRunner().invoke(main, ["plan", "--sbatch", "jobs/new", *map(str, recipes)])
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, str(Path("jobs/new/submit.sh")))
    written = {path.name: path.read_text("utf-8") for path in sorted(Path("jobs/new").iterdir())}
    assert {name: text.replace(str(Path.cwd()), "<folder>") for name, text in written.items()} == snapshot
    scripts = [*Path("jobs/new").iterdir()]
    subprocess.run([Path(sys.executable).with_name("shellcheck"), *scripts], check=True)


def _result(path: str) -> Delivery:
    """Stand for the result of a recipe, of which only its name and its file are looked at."""
    return cast("Delivery", SimpleNamespace(name="aoi", recipe=SimpleNamespace(source=Path(path))))


def test_recipes_without_a_base_to_train_wait_for_nothing() -> None:
    files = sbatch_files([Group(None, (_result("a.toml"), _result("b.toml")))], Path("/work"))
    assert sorted(files) == ["results-1.sbatch", "submit.sh"]
    assert "--dependency" not in files["submit.sh"]
    assert '--array="0-1%$at_once" results-1.sbatch' in files["submit.sh"]


def test_a_folder_with_files_is_left_as_it_is(recipes: list[Path]) -> None:
    Path("jobs").mkdir()
    Path("jobs/submit.sh").write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(main, ["plan", "--sbatch", "jobs", *map(str, recipes)])
    assert done.exit_code == 2
    assert "jobs holds files, expected a new or an empty folder" in done.output
    assert [path.read_text("utf-8") for path in Path("jobs").iterdir()] == ["mine"]


@given(st.lists(_names, min_size=1, max_size=4), _names)
def test_a_shell_reads_the_paths_as_they_are(names: list[str], folder: str) -> None:
    group = Group(_result("first"), tuple(map(_result, names)))
    text = sbatch_files([group], Path("/") / folder)["results-1.sbatch"]
    assert all(line.isascii() for line in text.splitlines() if line.startswith("#"))
    definition = text[text.index("recipes=(") : text.index("names=(")]
    done = subprocess.run(
        ["bash", "-c", definition + "printf '%s\\0' \"${recipes[@]}\""], capture_output=True, check=True
    )
    assert done.stdout.decode().split("\0")[:-1] == [str(Path("/") / folder / name) for name in names]


def test_a_job_ends_with_the_exit_code_of_its_run(tmp_path: Path) -> None:
    text = sbatch_files([Group(None, (_result("a.toml"), _result("it's $HOME.toml")))], tmp_path)["results-1.sbatch"]
    (tmp_path / "job").write_text(text, encoding="utf-8")
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", tmp_path / "job"],
        env=os.environ | {"PATH": programs, "SLURM_ARRAY_TASK_ID": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "it's $HOME.toml" in done.stderr
