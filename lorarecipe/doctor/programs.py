"""Python, and the programs that the setup of a trainer uses."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec

from lorarecipe import __version__
from lorarecipe.doctor.finding import Finding, absent, present
from lorarecipe.recipe import Recipe


def programs(recipe: Recipe | None) -> Iterator[Finding]:
    """Look for Python, git, uv, and the library that the recipe's measurements need."""
    yield present("lorarecipe", f"version {__version__}, {platform.system()}")
    yield present("Python", f"{platform.python_version()} at {sys.executable}")
    advice = "install git: the setup fetches sd-scripts with it, and each run reads the commit with it"
    yield _program("git", advice, needed=recipe is not None and recipe.trainer.engine == "sd-scripts")
    yield _program("uv", "optional: pip install uv. Without it, the setup uses venv and pip", needed=False)
    yield from _measurements(recipe)


def _program(name: str, advice: str, *, needed: bool) -> Finding:
    path = shutil.which(name)
    return present(name, _version([path, "--version"])) if path else absent(name, "not found", advice, needed=needed)


def _version(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired) as problem:
        return f"{argv[0]}, which does not say its version ({type(problem).__name__})"
    return done.stdout.strip().partition("\n")[0] or argv[0]


def _measurements(recipe: Recipe | None) -> Iterator[Finding]:
    """Look for what reads the models that ``samples.tagger`` and ``samples.ccip`` name."""
    samples = recipe.samples if recipe else None
    named = {name: getattr(samples, name, None) for name in ("tagger", "ccip")}
    wanted = {f"samples.{name}": folder for name, folder in named.items() if folder}
    if find_spec("onnxruntime"):
        yield present("onnxruntime", "installed")
    else:
        keys = " and ".join(wanted) or "samples.tagger and samples.ccip"
        advice = f"{keys} need it; run: pip install onnxruntime"
        yield absent("onnxruntime", "not installed", advice, needed=bool(wanted))
    for key, folder in wanted.items():
        if not folder.is_dir():
            yield absent(key, f"{folder} is not there", f"put the model there, or correct {key}", needed=True)
