"""Look at the machine: versions, GPU, disk, tokenizers; a lack comes with what to do about it."""

from __future__ import annotations

import platform
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from lorarecipe import __version__
from lorarecipe.engines import pin
from lorarecipe.files import home
from lorarecipe.trainer.installed import TOKENIZERS, Installation, checked_out, find_trainer, installed

_ROOMY_GIGABYTES = 10  # a merged SDXL checkpoint is 7 GB


@dataclass(frozen=True)
class Finding:
    """One thing looked at; advice is given where it lacks, or could be better."""

    what: str
    found: str
    good: bool = True
    advice: str = ""


def examine(trainer: Installation) -> list[Finding]:
    """Look at everything that a run needs."""
    return [
        Finding("lorarecipe", f"{__version__} on Python {platform.python_version()}, {platform.system()}"),
        *_programs(),
        *_trainer(trainer),
        *_tokenizers(trainer),
        _embedded(),
        _gpu(),
        _disk(),
    ]


def _programs() -> Iterator[Finding]:
    for name, need in (("git", True), ("uv", False)):
        path = shutil.which(name)
        if path:
            yield Finding(name, _first_line([path, "--version"]))
        elif need:
            yield Finding(name, "not found", good=False, advice="install git; setup fetches sd-scripts with it")
        else:
            yield Finding(name, "not found; setup uses venv and pip", advice="optional: pip install uv")


def _trainer(trainer: Installation) -> Iterator[Finding]:
    commit = checked_out(trainer.checkout) if trainer.checkout.is_dir() else None
    if commit == pin().commit:
        yield Finding("sd-scripts", f"{commit[:12]} in {trainer.checkout}")
    else:
        advice = "lorarecipe setup" if trainer.managed else f"git -C {trainer.checkout} checkout {pin().commit}"
        yield Finding("sd-scripts", f"{commit or 'not'} at {trainer.checkout}", good=False, advice=f"run: {advice}")
    report = installed(trainer)
    if not trainer.python.is_file() or (trainer.managed and not report):
        yield Finding("environment", f"none at {trainer.python}", good=False, advice="run: lorarecipe setup")
    elif report:
        yield Finding("environment", f"torch {report['torch']}, CUDA {report['cuda']}, in {trainer.root}")
    else:
        yield Finding("environment", f"{_first_line([str(trainer.python), '--version'])} at {trainer.python}")


def _tokenizers(trainer: Installation) -> Iterator[Finding]:
    for name, families in TOKENIZERS.items():
        there = (trainer.tokenizers / name / "vocab.json").is_file()
        what = f"tokenizer {'/'.join(families)}"
        yield Finding(what, name if there else f"{name} missing", there, "" if there else "run: lorarecipe setup")


def _embedded() -> Finding:
    if find_trainer("embedded").lacks():
        advice = "optional, for the demo and rehearsals: pip install 'lorarecipe[embedded]'"
        return Finding("embedded trainer", "not installed", advice=advice)
    return Finding("embedded trainer", f"torch {version('torch')}, diffusers {version('diffusers')}")


def _gpu() -> Finding:
    program = shutil.which("nvidia-smi")
    device = _first_line([program, "--query-gpu=name,memory.total", "--format=csv,noheader"]) if program else ""
    if device:
        return Finding("GPU", device)
    return Finding("GPU", "no NVIDIA GPU found; training on the CPU is for rehearsals", advice="rent or add one")


def _disk() -> Finding:
    folder: Path = home()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free / 1e9
    good = free >= _ROOMY_GIGABYTES
    advice = "" if good else f"make room ({_ROOMY_GIGABYTES} GB), or set LORARECIPE_HOME to another disk"
    return Finding("disk", f"{free:.0f} GB free for {home()}", good, advice)


def _first_line(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return (done.stdout or done.stderr).strip().partition("\n")[0] if done.returncode == 0 else ""
