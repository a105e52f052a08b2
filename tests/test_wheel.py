"""The wheel, in an empty folder: nothing of it refers to a clone."""

from __future__ import annotations

import email.parser
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from lorarecipe.help import topics

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(build, check=True)
    return next(folder.glob("lorarecipe-*.whl"))


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an environment of its own, which sees the libraries of this one behind it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(scripts / "python")]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    packages = subprocess.run(
        [scripts / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    (Path(packages.stdout.strip()) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return scripts / "lorarecipe"


def _run(program: Path, folder: Path, *words: str) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [program, *words],
        cwd=folder,
        env=clean | {"LORARECIPE_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_program_is_the_wheel_s(program: Path, tmp_path: Path) -> None:
    script = "import lorarecipe; print(lorarecipe.__file__)"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [str(program.with_name("python")), "-c", script]
    done = subprocess.run(words, cwd=tmp_path, env=clean, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(program.parents[1])


def test_the_demo_runs_in_an_empty_folder(program: Path, tmp_path: Path) -> None:
    assert "lorarecipe run demo.toml" in _run(program, tmp_path, "demo")
    recipe = tmp_path / "demo.toml"
    text = recipe.read_text("utf-8").replace("steps = 1000", "steps = 4").replace("steps = 20", "steps = 2")
    recipe.write_text(text.replace("images = 4", "images = 1"), encoding="utf-8")
    said = _run(program, tmp_path, "run", "demo.toml")
    for name in ("demo-honey.safetensors", "demo-honey-baked.safetensors", "report.html", "run.json"):
        assert (tmp_path / "out" / "demo-honey" / name).exists(), said


def test_each_page_is_in_the_wheel(program: Path, tmp_path: Path) -> None:
    for topic, title in topics().items():
        assert _run(program, tmp_path, "help", topic).startswith(f"# {title}\n")


def test_the_wheel_speaks_japanese(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LORARECIPE_LANG", "ja")
    assert "ターゲットのキャプション" in _run(program, tmp_path, "rule", "TGT001")


def test_what_the_index_is_told(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        said = email.parser.BytesParser().parsebytes(archive.read(name))
    assert {"Programming Language :: Python :: 3.11", "Operating System :: OS Independent"} <= {
        *said.get_all("Classifier", [])
    }
    assert said["License-Expression"] == "Apache-2.0"
    assert said["Keywords"]
