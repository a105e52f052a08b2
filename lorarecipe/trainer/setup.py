"""Get sd-scripts at the pinned commit, and build its own environment. Safe to repeat, and to run twice at once."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from lorarecipe.engines import Pin, pin
from lorarecipe.errors import LorarecipeError, MachineNotReady, NetworkFailed
from lorarecipe.files import canonical_json, vendor, write_atomic
from lorarecipe.trainer.installed import Installation, installed

Torch = Literal["auto", "cpu", "cuda"]

_GIGABYTES = 9  # a CUDA environment took 5.6 GB, and its archives lie beside it while it is built
#: what git, pip and uv say of a network that fails; a package's name (networkx) is none of it
_NETWORK = re.compile(
    r"Could not resolve|unable to access|Connection (refused|reset|aborted|error|broken|timed out)|ConnectionError"
    r"|NewConnectionError|ConnectTimeout|ReadTimeout|timed out|No matching distribution|Max retries exceeded"
    r"|[Nn]etwork is unreachable|Temporary failure in name resolution|Name or service not known|Failed to fetch"
    r"|error sending request|dns error"
)

#: folder that sd-scripts looks for -> folder of the package that carries it; SD2 has the tokenizer of
#: SDXL's second encoder (one vocabulary, padded with "!")
_TOKENIZERS = {
    "openai_clip-vit-large-patch14": "stable_diffusion/tokenizer",
    "laion_CLIP-ViT-bigG-14-laion2B-39B-b160k": "stable_diffusion_xl/tokenizer_2",
    "stabilityai_stable-diffusion-2": "stable_diffusion_xl/tokenizer_2",
}


def set_up(trainer: Installation, torch: Torch) -> Iterator[str]:
    """Build what is missing, saying each step; nothing is done when all is there.

    Raises
    ------
    MachineNotReady
        Without git, without room on the disk, or with a checkout of one's own at another commit.
    NetworkFailed
        When something cannot be fetched; what stood before stands again.
    """
    trainer.root.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(f"{trainer.root}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield "another setup is running; waiting for it"
        lock.acquire()
    try:
        if trainer.managed:
            yield from _build(trainer, pin(), torch)
        else:
            yield from _complete(trainer)
    finally:
        lock.release()


def _complete(trainer: Installation) -> Iterator[str]:
    """Put the tokenizers beside somebody's own checkout and environment, which are only looked at."""
    lacks = [lack for lack in trainer.lacks() if "tokenizer missing" not in lack]
    if lacks:
        raise MachineNotReady("\n".join(lacks))
    if trainer.lacks():
        yield "tokenizers"
        _put_tokenizers(_Steps(trainer.root.with_suffix(".log")), trainer.python, trainer.tokenizers)
    yield f"ready: sd-scripts in {trainer.checkout}, its environment at {trainer.python}"


def _build(trainer: Installation, wanted: Pin, torch: Torch) -> Iterator[str]:
    """Build a trainer of our own; an older one is set aside until the new one stands."""
    flavour, there = _flavour(torch), installed(trainer)
    if there and (torch == "auto" or there["torch_build"] == flavour) and not trainer.lacks():
        yield f"ready: sd-scripts {there['commit'][:12]}, torch {there['torch']}, in {trainer.root}"
        return
    free = shutil.disk_usage(trainer.root.parent).free / 1e9
    if free < _GIGABYTES:
        message = f"{trainer.root.parent}: {free:.1f} GB free, expected {_GIGABYTES}"
        raise MachineNotReady(f"{message}; make room, or set LORARECIPE_HOME to another disk")
    aside = trainer.root.with_suffix(".old")
    if trainer.marker.exists():
        shutil.rmtree(aside, ignore_errors=True)
        trainer.root.replace(aside)
    shutil.rmtree(trainer.root, ignore_errors=True)
    trainer.root.mkdir()
    try:
        steps = _Steps(trainer.root.with_suffix(".log"))
        yield f"1/5 sd-scripts {wanted.commit[:12]} from {wanted.url}"
        _check_out(steps, wanted, trainer.checkout)
        yield "2/5 a virtual environment of its own"
        python = _make_venv(steps, trainer.root / "venv")
        yield f"3/5 {' '.join(wanted.torch)} for {flavour} (up to 3 GB)"
        _install(steps, python, *wanted.torch, *_index(wanted, flavour))
        yield "4/5 the locked requirements"
        _install(steps, python, "--no-deps", "--require-hashes", "-r", str(vendor("requirements.lock")))
        yield "5/5 tokenizers"
        _put_tokenizers(steps, python, trainer.tokenizers)
        look = "import json, torch; print(json.dumps([torch.__version__, torch.cuda.is_available()]))"
        version, cuda = json.loads(steps.run([str(python), "-c", look]).splitlines()[-1])
        report = {"commit": wanted.commit, "torch": version, "torch_build": flavour, "cuda": str(cuda).lower()}
        write_atomic(trainer.marker, canonical_json(report))
    except BaseException:
        if aside.exists():
            shutil.rmtree(trainer.root, ignore_errors=True)
            aside.replace(trainer.root)
        raise
    shutil.rmtree(aside, ignore_errors=True)
    yield f"ready: sd-scripts {wanted.commit[:12]}, torch {version}, in {trainer.root}"


class _Steps:
    """Runs the set-up's processes, keeping all they print in one log."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def run(self, argv: list[str]) -> str:
        """Run one process to its end and give what it printed."""
        try:
            done = subprocess.run(
                argv,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                text=True,
                errors="replace",
                check=False,
                env={**os.environ, "GIT_TERMINAL_PROMPT": "0", "PYTHONPATH": ""},
            )
        except FileNotFoundError as problem:
            raise MachineNotReady(f"{argv[0]}: not found; install it, then run: lorarecipe setup") from problem
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(argv)}\n{done.stdout}\n")
        if done.returncode:
            tail = "\n".join(done.stdout.strip().splitlines()[-5:])
            kind: type[LorarecipeError] = NetworkFailed if _NETWORK.search(done.stdout) else MachineNotReady
            raise kind(f"{' '.join(argv[:4])} ...: ended with code {done.returncode}\n{tail}\nFull log: {self._log}")
        return done.stdout


def _check_out(steps: _Steps, wanted: Pin, checkout: Path) -> None:
    """Fetch one commit without history, without large files: about 4 MB."""
    git = ["git", "-C", str(checkout)]
    steps.run(["git", "init", "--quiet", str(checkout)])
    steps.run([*git, "remote", "add", "origin", wanted.url])
    steps.run([*git, "sparse-checkout", "set", "--no-cone", "/*", *(f"!/{path}" for path in wanted.exclude)])
    steps.run([*git, "fetch", "--quiet", "--depth", "1", "--filter=blob:none", "origin", wanted.commit])
    steps.run([*git, "checkout", "--quiet", wanted.commit])


def _make_venv(steps: _Steps, folder: Path) -> Path:
    if shutil.which("uv"):
        steps.run(["uv", "venv", "--quiet", "--python", sys.executable, str(folder)])
    else:
        steps.run([sys.executable, "-m", "venv", str(folder)])
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _install(steps: _Steps, python: Path, *what: str) -> None:
    if shutil.which("uv"):
        steps.run(["uv", "pip", "install", "--python", str(python), "--index-strategy", "unsafe-best-match", *what])
    else:
        steps.run([str(python), "-m", "pip", "install", "--disable-pip-version-check", *what])


def _put_tokenizers(steps: _Steps, python: Path, folder: Path) -> None:
    unpacked = folder.with_name("tokenizers.package")
    lock = str(vendor("tokenizers.lock"))
    _install(steps, python, "--no-deps", "--require-hashes", "--target", str(unpacked), "-r", lock)
    for name, source in _TOKENIZERS.items():
        shutil.copytree(unpacked / "diffsynth" / "tokenizer_configs" / source, folder / name, dirs_exist_ok=True)
    shutil.rmtree(unpacked)


def _flavour(torch: Torch) -> str:
    if torch == "auto":
        return "cuda" if shutil.which("nvidia-smi") else "cpu"
    return torch


def _index(wanted: Pin, flavour: str) -> list[str]:
    """Name torch's own index where it can be reached; the registry's build serves where it cannot."""
    url = wanted.torch_index[flavour]
    try:
        with urllib.request.urlopen(f"{url}/torch/", timeout=10):  # noqa: S310 - an https address of ours
            return ["--extra-index-url", url]
    except (urllib.error.URLError, OSError):
        return []
