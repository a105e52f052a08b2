"""The library: what ``import lorarecipe`` offers, and the script of its page."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import lorarecipe
from lorarecipe.help import page
from tests.renders import demo_renders
from tests.test_pictures import RECIPE

ROOT = Path(__file__).parents[1]


def _python(script: str, *, cwd: Path = ROOT) -> str:
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_name_that_is_offered_is_there() -> None:
    for name in lorarecipe.__all__:
        assert getattr(lorarecipe, name).__doc__
    assert not hasattr(lorarecipe, "anything")


def test_it_is_typed() -> None:
    assert files("lorarecipe").joinpath("py.typed").is_file()


def test_no_package_hides_a_module_behind_a_name_of_its_own() -> None:
    for package in (ROOT / "lorarecipe").rglob("__init__.py"):
        names = set(re.findall(r'"(\w+)"', package.read_text("utf-8").partition("__all__")[2]))
        modules = {path.stem for path in package.parent.glob("*.py")}
        assert not names & modules - {"errors", "events"}, package


def test_an_import_changes_nothing_of_the_process() -> None:
    script = """
import sys, warnings
import numpy, scipy.ndimage, scipy.sparse, scipy.special  # these set filters of their own
from PIL import Image
before = Image.MAX_IMAGE_PIXELS, list(warnings.filters), sys.getswitchinterval()
import lorarecipe
lorarecipe.load, lorarecipe.scan, lorarecipe.check, lorarecipe.compile_plan, lorarecipe.execute
print(before == (Image.MAX_IMAGE_PIXELS, list(warnings.filters), sys.getswitchinterval()))
"""
    assert _python(script) == "True\n"


def test_the_script_of_the_page(tmp_path: Path) -> None:
    script = re.search(r"```python\n(.*?)```", page("library"), re.DOTALL)
    assert script
    demo_renders(tmp_path / "renders")
    checkpoint, target = RECIPE.partition("[base]")[0], RECIPE.partition("[target]")[2].partition("[control]")[0]
    recipe = checkpoint.replace("[checkpoint]", 'method = "plain"\n[checkpoint]') + "[target]" + target
    (tmp_path / "demo.toml").write_text(recipe, encoding="utf-8")
    lines = _python(script[1], cwd=tmp_path).splitlines()
    assert [line.partition("  ")[0].split("-")[0] for line in lines[:1]] == ["data"]
    assert lines[-2:] == [str(Path("out", "aoi", name)) for name in ("aoi.safetensors", "aoi.json")]
    assert any(re.match(r"step \d+ of \d+, loss", line) for line in lines)


def test_an_import_is_light() -> None:
    assert (
        _python("import lorarecipe, sys; print('pydantic' in sys.modules, 'numpy' in sys.modules)") == "False False\n"
    )
