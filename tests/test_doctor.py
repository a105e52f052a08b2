"""What the doctor says of machines that lack one thing each, and of one that lacks nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from lorarecipe.dataset import scan
from lorarecipe.doctor import Finding, as_json, examine, is_ready
from lorarecipe.doctor import engine as engine_module
from lorarecipe.doctor.capacity import least_memory
from lorarecipe.doctor.surroundings import RELEASED, encodings
from lorarecipe.engines import embedded, pin
from lorarecipe.files import home
from lorarecipe.plan import TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.trainer import installed as installed_module
from tests.conftest import FAKE

Edit = Callable[[str, str], Path]
Gpus = Callable[..., None]


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gpus:
    """An sd-scripts of the author's own, whose torch sees GPUs of so many bytes."""

    def see(*memories: int, cuda: str | None = "13.0") -> None:
        torch = tmp_path / "libraries" / "torch"
        torch.mkdir(parents=True)
        (torch / "__init__.py").write_text(
            "from types import SimpleNamespace as N\n"
            f"memories, version = {memories!r}, N(cuda={cuda!r})\n"
            "__version__ = '2.14.1'\n"
            "cuda = N(is_available=lambda: bool(memories), device_count=lambda: len(memories),\n"
            "         get_device_name=lambda n: f'GPU {n}',\n"
            "         get_device_properties=lambda n: N(total_memory=memories[n]))\n"
        )
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH="{torch.parent}" exec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        for name in installed_module.TOKENIZERS:
            (home() / "trainers" / "tokenizers" / name).mkdir(parents=True)
            (home() / "trainers" / "tokenizers" / name / "vocab.json").write_text("{}")
        monkeypatch.setenv("LORARECIPE_SD_SCRIPTS", str(FAKE))
        monkeypatch.setenv("LORARECIPE_PYTHON", str(python))
        for module in (installed_module, engine_module):
            monkeypatch.setattr(module, "checked_out", lambda checkout: pin().commit)

    return see


def _examined(path: Path | None, out: Path) -> dict[str, Finding]:
    findings = examine([load(path)] if path else [], out)
    assert len({finding.what for finding in findings}) == len(findings)
    assert all(finding.advice for finding in findings if finding.state == "lack")
    return {finding.what: finding for finding in findings}


def _lacks(path: Path | None, out: Path) -> set[str]:
    return {name for name, finding in _examined(path, out).items() if finding.state == "lack"}


def _call(folder: Path, *words: str) -> tuple[int, str, str]:
    argv = [sys.executable, "-m", "lorarecipe", "doctor", *words]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_machine_that_lacks_nothing(folder: Path, gpus: Gpus) -> None:
    gpus(24_000_000_000)
    found = _examined(folder / "recipe.toml", folder / "out")
    assert is_ready(tuple(found.values()))
    assert found["torch of sd-scripts"].found.startswith("2.14.1, built for CUDA 13.0, at ")
    assert found["GPU"] == Finding("GPU", "ok", "GPU 0 (24.0 GB)")
    assert found["memory of GPU 0"].state == "ok"
    assert not (folder / "out").exists()


def test_without_the_recipes_trainer(folder: Path) -> None:
    """Each lack has its advice; the other trainer, which the recipe does not name, is not looked at."""
    code, out, _ = _call(folder, "recipe.toml")
    assert code == 4
    assert "LACK  sd-scripts" in out
    assert "-> run: lorarecipe setup" in out
    assert "embedded trainer" not in out
    assert "tokenizer sd2 " not in out


def test_without_a_recipe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One trainer is enough; without any, no recipe can be run."""
    assert _lacks(None, folder / "out") == set()
    assert _examined(None, folder / "out")["sd-scripts"].state == "note"
    monkeypatch.setattr(embedded, "LIBRARIES", ("a_library_that_nobody_has",))
    assert _lacks(None, folder / "out") >= {"sd-scripts", "environment", "embedded trainer"}


def test_half_of_an_own_trainer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_PYTHON", sys.executable)
    found = _examined(folder / "recipe.toml", folder / "out")
    assert "expected both or neither" in found["sd-scripts"].found


@pytest.mark.parametrize(
    ("trainer", "memories", "state", "words"),
    [
        ("device = 'cpu'", (), "note", 'does not need one (device = "cpu")'),
        ("device = 'cpu'", (1,), "ok", "the recipe trains on the CPU"),
        ("device = 'auto'", (), "note", "for the demo and rehearsals"),
        ("device = 'cuda'", (), "lack", "sees 0 GPUs, expected 1"),
        ("device = 'cuda:1'", (1 << 34,), "lack", "sees 1 GPU, expected 2"),
        ("device = 'cuda:1'", (1 << 34, 1 << 34), "ok", "GPU 1 (17.2 GB)"),
        ("processes = 2", (1 << 34,), "lack", "sees 1 GPU, expected 2"),
        ("processes = 2", (1 << 34, 1 << 34), "ok", "GPU 1 (17.2 GB)"),
    ],
)
def test_gpus(edit: Edit, gpus: Gpus, trainer: str, memories: tuple[int, ...], state: str, words: str) -> None:
    gpus(*memories)
    path = edit("[target]\n", f"[trainer]\n{trainer}\n[target]\n")
    found = _examined(path, path.parent / "out")
    assert (found["GPU"].state, words in found["GPU"].found) == (state, True)


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_memory_of_the_gpu_that_is_used(edit: Edit, gpus: Gpus, device: str) -> None:
    path = edit("[target]\n", f"[trainer]\ndevice = '{device}'\n[target]\n")
    plan = compile_plan([check(scan(load(path)))])
    least = max(least_memory(stage) for stage in plan.stages if isinstance(stage, TrainStage))
    gpus(least - 1, least)
    lacks = _lacks(path, path.parent / "out")
    assert lacks == ({"memory of GPU 0"} if device == "cuda" else set())


def test_the_least_memory_is_that_of_weights_and_lora(folder: Path, edit: Edit) -> None:
    """In single precision, a number has four bytes."""
    path = edit("[target.training]\n", "[target.training]\nprecision = 'no'\n")
    plan = compile_plan([check(scan(load(path)))])
    [target] = [stage for stage in plan.stages if isinstance(stage, TrainStage) and stage.role == "target"]
    unet = 8 * 8 + 8 + 8 * 8 + 8 * 8 + 16 * 8 + 8 * 8 * 3 * 3
    assert least_memory(target) == 4 * unet + 2 * target.lora_size


def test_a_torch_that_does_not_work(folder: Path, gpus: Gpus, tmp_path: Path) -> None:
    gpus()
    (tmp_path / "libraries" / "torch" / "__init__.py").write_text("raise OSError('libcudart.so.13 is not there')")
    found = _examined(folder / "recipe.toml", folder / "out")
    assert found["torch of sd-scripts"].state == "lack"
    assert "libcudart.so.13 is not there" in found["torch of sd-scripts"].found


def test_a_disk_without_room(folder: Path, edit: Edit, gpus: Gpus) -> None:
    """It is what a run would refuse too."""
    gpus()
    path = edit("rank = 4\nalpha = 4", "rank = 1024\nalpha = 4\nsave_every_epochs = 1")
    path.write_text(path.read_text("utf-8").replace("steps = 2", "epochs = 1000000"), encoding="utf-8")
    assert _lacks(path, folder / "out") == {"disk of the store", "disk of the results"}


def test_folders_that_cannot_be_written(folder: Path, gpus: Gpus) -> None:
    gpus()
    (folder / "out").touch()
    found = _examined(folder / "recipe.toml", folder / "out")
    assert found["writing results"].state == "lack"
    assert found["writing results"].advice == "name another folder: --out"


@pytest.mark.parametrize("home", ["/dev/null", "/dev/null/x"])
def test_a_home_that_cannot_be(folder: Path, monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    """Everything else is looked at all the same."""
    monkeypatch.setenv("LORARECIPE_HOME", home)
    lacks = _lacks(folder / "recipe.toml", folder / "out")
    assert "writing to the store" in lacks
    assert "writing results" not in lacks


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (RELEASED - timedelta(days=1), "before this release"),
        (RELEASED.replace(year=2099), "73 years after this release"),
        (datetime.now(RELEASED.tzinfo) + timedelta(hours=1), "seconds apart from it"),
    ],
)
def test_a_clock_that_is_wrong(folder: Path, gpus: Gpus, moment: datetime, words: str) -> None:
    gpus()
    with time_machine.travel(moment):
        found = _examined(folder / "recipe.toml", folder / "out")["clock"]
    assert (found.state, words in found.found) == ("lack", True)


def test_encodings_that_are_not_utf_8() -> None:
    """It is a lack only where a name needs it."""
    program = (
        "from pathlib import Path; from lorarecipe.doctor.surroundings import encodings\n"
        "for names in (['a'], ['a', '\\u8d64']): print([one.state for one in encodings([*map(Path, names)])])"
    )
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["['note', 'note']", "['lack', 'note']"], done.stderr
    assert [one.state for one in encodings([Path("赤")])] == ["ok", "ok"]


@pytest.mark.parametrize("where", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "file", "nowhere"])
def test_a_token_is_never_told(folder: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    (folder / "hf").mkdir()
    if where == "file":
        (folder / "hf" / "token").write_text("hf_never")
    elif where != "nowhere":
        monkeypatch.setenv(where, "hf_never")
    code, out, _ = _call(folder)
    assert code == 0
    assert f"{'note' if where == 'nowhere' else 'ok  '}  Hugging Face token" in out
    assert "hf_never" not in out


def test_a_recipe_whose_files_are_not_there(folder: Path, gpus: Gpus) -> None:
    gpus()
    (folder / "checkpoint.safetensors").unlink()
    assert _lacks(folder / "recipe.toml", folder / "out") == {"files of the recipe"}


def test_what_the_check_would_refuse(folder: Path, gpus: Gpus) -> None:
    gpus()
    (folder / "aoi" / "full_front.txt").write_text("white background, arms at sides, full body, standing")
    assert _lacks(folder / "recipe.toml", folder / "out") == {"check of the images"}


def test_an_optimizer_that_the_trainer_refuses(folder: Path, gpus: Gpus, edit: Edit) -> None:
    """The fake trainer has none at all."""
    gpus()
    path = edit("rank = 2", "rank = 2\noptimizer = 'AdamW8bit'")
    assert _lacks(path, folder / "out") == {"files and optimizers"}


def test_measurements_need_a_library_and_a_model(folder: Path, gpus: Gpus, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus()
    path = folder / "recipe.toml"
    path.write_text(path.read_text("utf-8") + '[samples]\nprompts = ["1girl"]\ntagger = "wd"\n', encoding="utf-8")
    assert "samples.tagger" in _lacks(path, folder / "out")
    monkeypatch.setattr("lorarecipe.doctor.programs.find_spec", lambda name: None)
    assert "onnxruntime" in _lacks(path, folder / "out")


def test_json_holds_the_same_facts(folder: Path) -> None:
    code, out, _ = _call(folder, "recipe.toml", "--json")
    said = json.loads(out)
    assert (code, said["schema_version"], said["recipe"], said["ready"]) == (4, 1, "recipe.toml", False)
    findings = tuple(Finding(**finding) for finding in said["findings"])
    assert {"schema_version": 1, **as_json(Path("recipe.toml"), findings)} == said
    shown = _call(folder, "recipe.toml")[1]
    assert all(finding.what in shown and finding.advice in shown for finding in findings)


def test_a_recipe_that_is_not_valid(folder: Path, edit: Edit) -> None:
    edit("rank = 4", "rnak = 4")
    code, out, err = _call(folder, "recipe.toml")
    assert (code, out) == (2, "")
    assert "did you mean rank?" in err
