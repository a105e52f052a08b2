"""Files for Slurm and SkyPilot: whole texts, names that shells would read as something else, and what jobs do."""

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
import yaml
from click.testing import CliRunner
from hypothesis import example, given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from lorarecipe.batch import Group, Pod, groups_of, sbatch_files, sky_task, unmountable
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
    assert text[: text.index("\ncd -- ")].isascii()
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


def test_the_task_of_a_pod(recipes: list[Path], monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """It names all that the recipes read, and what is put over them; where a store is set, that one."""
    monkeypatch.setenv("LORARECIPE_STORE", "s3://bucket/prefix")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.example.com")
    Path("list.csv").write_text("name,images\nmidori,aoi\n", encoding="utf-8")
    words = ["plan", str(recipes[0]), "--characters", "list.csv", "--set", "target.training.epochs=3"]
    done = CliRunner().invoke(main, [*words, "--sky", "pod.yaml"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "pod.yaml")
    text = Path("pod.yaml").read_text("utf-8")
    task = yaml.safe_load(text)
    assert task["file_mounts"] == {path: path for path in task["file_mounts"]}
    names = ["aoi", "blue", "checkpoint.safetensors", "list.csv", "red", "朱音.toml"]
    assert [Path(path) for path in task["file_mounts"]] == [Path.cwd() / name for name in names]
    clone = Path(__file__).parents[1]
    assert text.replace(str(Path.cwd()), "<folder>").replace(str(clone), "<clone>") == snapshot


def test_a_pod_makes_what_the_plan_says(recipes: list[Path]) -> None:
    """The command of the task, called here, has the stages of the plan."""
    words = [str(recipes[0]), "--sweep", "target.training.rank=2,4", "--only", "朱音-rank4"]
    assert CliRunner().invoke(main, ["plan", *words, "--sky", "pod.yaml"]).exit_code == 0
    task = yaml.safe_load(Path("pod.yaml").read_text("utf-8"))
    assert (task["envs"], task["secrets"]) == (
        {"LORARECIPE_STORE": None},
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
    )
    program, command, *called = shlex.split(task["run"].splitlines()[-1])
    assert (program, command) == ("lorarecipe", "run")
    plans = [CliRunner().invoke(main, ["plan", *given, "--json"]).output for given in (words, called)]
    assert json.loads(plans[0])["stages"] == json.loads(plans[1])["stages"]


def test_a_base_recipe_of_its_own_goes_with_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recipe names it, and it names images of its own."""
    text = (folder / "recipe.toml").read_text("utf-8")
    head, middle = text.index("[target]"), text.index("[rules]")
    (folder / "base.toml").write_text(text[:head] + text[middle:], encoding="utf-8")
    named = 'format = 1\nname = "aoi"\nbase = { from = "base.toml" }\n\n'
    (folder / "aoi.toml").write_text(named + text[head:], encoding="utf-8")
    monkeypatch.chdir(folder)
    done = CliRunner().invoke(main, ["plan", "aoi.toml", "--sky", "pod.yaml"])
    assert done.exit_code == 0, done.output
    mounts = yaml.safe_load(Path("pod.yaml").read_text("utf-8"))["file_mounts"]
    names = ["aoi", "aoi.toml", "base.toml", "blue", "checkpoint.safetensors", "red"]
    assert [Path(path).name for path in mounts] == names


def test_what_no_pod_can_have_is_refused(recipes: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(main, ["plan", *map(str, recipes), "--sky", "pod.yaml"])
    assert done.exit_code == 2
    assert "mid ori.toml: SkyPilot cannot copy this path" in done.output
    monkeypatch.setenv("LORARECIPE_STORE", "shared")
    done = CliRunner().invoke(main, ["plan", str(recipes[0]), "--sky", "pod.yaml"])
    assert done.exit_code == 2
    assert f"found the folder {Path('shared').absolute()} in LORARECIPE_STORE" in done.output
    assert not Path("pod.yaml").exists()


def test_a_task_that_is_there_is_left_as_it_is(recipes: list[Path]) -> None:
    Path("pod.yaml").write_text("mine", encoding="utf-8")
    done = CliRunner().invoke(main, ["plan", str(recipes[0]), "--sky", "pod.yaml"])
    assert done.exit_code == 2
    assert "pod.yaml is there already, expected the name of a new file" in done.output
    assert Path("pod.yaml").read_text("utf-8") == "mine"


def test_the_task_of_an_installed_package_and_the_embedded_trainer() -> None:
    """No clone can be copied: the package is named at the start. The trainer needs no setup."""
    task = yaml.safe_load(sky_task([], ["lorarecipe"], Pod(None, "hf", 1, None, is_embedded=True)))
    assert "workdir" not in task
    assert task["envs"] == {"LORARECIPE_STORE": None, "LORARECIPE_PACKAGE": None}
    assert task["secrets"] == {"HF_TOKEN": None}
    assert task["setup"].splitlines()[-1].endswith('"lorarecipe[embedded] @ $LORARECIPE_PACKAGE"')


@example(["\x85", "\u2028", "\r", "a b", "$HOME", "朱音", "🎨", "'", "yes"])
@given(st.lists(_names, min_size=1, max_size=4, unique=True))
def test_yaml_and_a_shell_read_the_paths_as_they_are(names: list[str]) -> None:
    """What is not refused is one word of a shell, unquoted; in the command, any path is."""
    paths = [Path("/") / name for name in names]
    task = yaml.safe_load(sky_task(paths, ["lorarecipe", *map(str, paths)], Pod("s3://b/p", "s3", 1, Path("/clone"))))
    assert task["file_mounts"] == {str(path): str(path) for path in paths}
    assert shlex.split(task["run"].split("\n", 1)[1]) == ["lorarecipe", *map(str, paths)]
    plain = [str(path) for path in paths if path not in unmountable(paths)]
    said = subprocess.run(
        ["bash", "-c", "printf '%s\\0' " + " ".join(plain)], capture_output=True, check=True
    ).stdout.decode()
    assert said.split("\0")[:-1] == (plain or [""])
