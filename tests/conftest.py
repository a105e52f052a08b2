"""Fixtures: a clean environment for every test, small recipes on disk, a fake trainer, and the real one."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import disk_usage
from tempfile import gettempdir

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import settings
from safetensors.numpy import save_file

from lorarecipe.engines import pin
from lorarecipe.errors import LorarecipeError, data_size
from lorarecipe.files import home
from lorarecipe.run import workers
from lorarecipe.signals import install
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, find_trainer
from lorarecipe.trainer import installed as installed_module
from lorarecipe.trainer.setup import set_up
from tests.faults.world import World
from tests.narrow import Narrow
from tests.renders import character

settings.register_profile("shared machine", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("shared machine")

FAKE = Path(__file__).parent / "fake"
REAL_HOME = home()
_UNET = "model.diffusion_model.input_blocks.1.1."

RECIPE = """\
format = 1
name = "aoi"

[checkpoint]
family = "sd15"
path = "checkpoint.safetensors"

[[base.characters]]
images = "red"
traits = ["red hair", "short hair"]

[[base.characters]]
images = "blue"
traits = ["blue hair", "twintails"]

[base.training]
rank = 4
alpha = 4
unet_lr = 1e-3
text_encoder_lr = 1e-4
steps = 2
resolution = 128
buckets = { min = 64, max = 256 }

[base.gate]
mode = "off"

[target]
images = "aoi"

[target.training]
rank = 2
alpha = 2
unet_lr = 1e-3
epochs = 1
resolution = 128
buckets = { min = 64, max = 256 }
save_every_epochs = 1

[rules]
SET005 = { severity = "ignore", reason = "two characters are enough for a test" }
SET006 = { severity = "ignore", reason = "and their bodies are alike" }
SET007 = { severity = "ignore", reason = "each with a hairstyle of its own" }
"""


def pytest_configure() -> None:
    """Give each worker a core of its own: trainings that share their cores hinder each other."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    if worker and hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[int(worker) % len(cores)]})


def pytest_report_header() -> str:
    """Say what the disk has left: where it is full, hundreds of tests fail for reasons that look like others."""
    return f"temporary files: {data_size(disk_usage(gettempdir()).free)} free in {gettempdir()}; all tests need 12 GB"


def _forget_the_machine(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("LORARECIPE_") or name.endswith("_TOKEN"):
            patch.delenv(name)


@pytest.fixture(autouse=True)
def _clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the machine's home, secrets and trainers out of every test."""
    _forget_the_machine(monkeypatch)
    monkeypatch.setenv("LORARECIPE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LORARECIPE_LANG", "en")
    monkeypatch.setenv("COLUMNS", "100")


def tiny_checkpoint(path: Path, encoder: str = "cond_stage_model.transformer.text_model.encoder.layers.0.") -> None:
    """Write a checkpoint with a few layers of SD1.5's names, 8 wide."""
    random = np.random.default_rng(0)
    shapes = {
        f"{_UNET}proj_in.weight": (8, 8, 1, 1),
        f"{_UNET}norm.weight": (8,),
        f"{_UNET}transformer_blocks.0.attn1.to_q.weight": (8, 8),
        f"{_UNET}transformer_blocks.0.attn2.to_out.0.weight": (8, 8),
        f"{_UNET}transformer_blocks.0.ff.net.0.proj.weight": (16, 8),
        "model.diffusion_model.output_blocks.11.0.in_layers.2.weight": (8, 8, 3, 3),
        f"{encoder}self_attn.q_proj.weight": (8, 8),
        f"{encoder}mlp.fc1.weight": (16, 8),
        "first_stage_model.encoder.conv_in.weight": (8, 3, 3, 3),
    }
    save_file({name: random.normal(size=shape).astype("float16") for name, shape in shapes.items()}, path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with ``recipe.toml`` and all that it names."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    character(mine / "red", "red hair", "short hair", ("red hair", "short hair"))
    character(mine / "blue", "blue hair", "twintails", ("blue hair", "twintails"))
    character(mine / "aoi", "blonde", "twintails", None)
    tiny_checkpoint(mine / "checkpoint.safetensors")
    return mine


@pytest.fixture
def edit(folder: Path) -> Callable[[str, str], Path]:
    """Replace a text of the recipe, and give its path."""

    def replace(old: str, new: str) -> Path:
        path = folder / "recipe.toml"
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        return path

    return replace


@pytest.fixture
def signals() -> Iterator[None]:
    """Have signals handled as the program does, for the length of a test."""
    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    install()
    yield
    install()  # what one test asked for, the next one is not to see
    for signum, handler in before.items():
        signal.signal(signum, handler)


@pytest.fixture
def store() -> Store:
    """An empty store."""
    return Store(home() / "store")


@pytest.fixture
def fake_trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A trainer that is a real process and trains nothing."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{FAKE}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    tokenizers = tmp_path / "tokenizers"
    for name in installed_module.TOKENIZERS:
        (tokenizers / name).mkdir(parents=True)
        (tokenizers / name / "vocab.json").write_text("{}")
    monkeypatch.setenv("LORARECIPE_PASS_ENV", "FAKE_TRAINER")
    monkeypatch.setattr(workers, "try_optimizers", lambda *given: None)  # it has no optimizers
    monkeypatch.setattr(installed_module, "checked_out", lambda checkout: pin().commit)
    return Installation(checkout=FAKE, python=python, tokenizers=tokenizers, managed=False, root=tmp_path)


@pytest.fixture(scope="session")
def real_trainer() -> Installation:
    """The pinned sd-scripts in its own environment, built once in the user's own folder; skips where it can't be had."""
    before = os.environ.get("LORARECIPE_HOME")
    os.environ["LORARECIPE_HOME"] = str(REAL_HOME)
    try:
        trainer = find_trainer()
        for step in set_up(trainer, "auto"):
            sys.stderr.write(f"{step}\n")
    except LorarecipeError as problem:
        pytest.skip(f"sd-scripts cannot be had here: {problem}")
    finally:
        if before:
            os.environ["LORARECIPE_HOME"] = before
        else:
            del os.environ["LORARECIPE_HOME"]
    return trainer


@pytest.fixture
def real_home(real_trainer: Installation, tmp_path: Path) -> Path:
    """A home with the real trainer and an empty store."""
    folder = home()
    folder.mkdir(parents=True)
    (folder / "trainers").symlink_to(real_trainer.root.parent)
    return folder


def _shared_folder(factory: pytest.TempPathFactory, worker_id: str) -> Path:
    own = factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def narrow(real_trainer: Installation, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Narrow:
    """The real trainer with narrow models."""
    return Narrow.of(real_trainer, _shared_folder(tmp_path_factory, worker_id) / "narrow")


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> World:
    """A run that nobody disturbed, made once for all test processes: to be copied, and not to be changed.

    The names of its file operations are in the file ``points`` beside it.
    """
    folder = _shared_folder(tmp_path_factory, worker_id) / "whole"
    world = World(folder / "world")
    with FileLock(folder.with_suffix(".lock")), pytest.MonkeyPatch.context() as patch:
        _forget_the_machine(patch)
        if not world.out.exists():
            World.made(world.root)
            assert world.run(str(folder / "points"), "", "0") == 0, (world.root / "errors").read_text()
    return world
