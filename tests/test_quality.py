"""The house rules, run as a person would run them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "lorarecipe" / "recipe" / "lorarecipe.schema.json"
RECIPES = ["recipes/**/*.toml", "lorarecipe/demo/recipes/*.toml"]
BIN = Path(sys.executable).parent
PAGES = sorted(str(page.relative_to(ROOT)) for page in (ROOT / "lorarecipe" / "help").glob("*.md"))


@pytest.mark.parametrize(
    "words",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        # what runs only there, which no test here can; each with a cache of its own, or the next run would read all anew
        ["mypy", "--platform", "win32", "--cache-dir", ".mypy_cache/win32", "lorarecipe"],
        ["mypy", "--platform", "darwin", "--cache-dir", ".mypy_cache/darwin", "lorarecipe"],
        ["lint-imports", "--no-logo"],
        ["cog", "-P", "--check", "README.md", *PAGES],
        ["taplo", "lint", "--no-auto-config", "--no-schema", "pyproject.toml"],
        ["taplo", "lint", "--no-auto-config", "--schema", SCHEMA.as_uri(), *RECIPES],
        ["tombi", "lint", "--offline", "pyproject.toml"],
        ["tombi", "lint", "--offline", "--error-on-warnings", *RECIPES],
    ],
    ids=lambda words: " ".join([*words[:3], words[-1]]),
)
def test_house_rule(words: list[str]) -> None:
    done = subprocess.run([BIN / words[0], *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_runs_inside_the_trainer_is_plain_python_3_10() -> None:
    """Its syntax is 3.10's, and it imports the standard library and the trainer's own packages only."""
    inside = ROOT / "lorarecipe" / "trainer" / "inside"
    words = [str(BIN / "ruff"), "check", "--isolated", "--target-version", "py310", "--select", "F,UP036", str(inside)]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 0
    for path in inside.glob("*.py"):
        text = path.read_text("utf-8")
        assert "lorarecipe." not in text
        assert "tomllib" not in text


def test_top_level_is_what_was_agreed() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {line.split("/")[0] for line in listed.splitlines() if "/" in line and not line.startswith(".")}
    assert folders == {"lorarecipe", "recipes", "tests", "vendor"}
