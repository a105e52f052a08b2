"""The embedded trainer against sd-scripts' own, on the nano checkpoint: one command line, two trainers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file
from transformers import CLIPTextModel

from lorarecipe.dataset import scan
from lorarecipe.demo import NANO
from lorarecipe.errors import Interrupted
from lorarecipe.events import Paused, Progress, Started
from lorarecipe.inspection import inspect
from lorarecipe.plan import LORA, DataStage, TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.run import Here, execute
from lorarecipe.signals import install
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, find_trainer, launch, read_progress, stage_images, train_command
from lorarecipe.trainer.embedded.network import load_lora
from lorarecipe.weights import Weights
from tests.renders import demo_renders

pytestmark = pytest.mark.sd_scripts

INSIDE = Path(__file__).parent / "inside"

RECIPE = f"""\
format = 1
name = "parity"

[checkpoint]
family = "sd15"
path = "{NANO}"
clip_skip = 2

[[base.characters]]
images = "renders/red"
traits = ["red hair", "long hair", "blue dress"]
repeats = 3

[[base.characters]]
images = "renders/green"
traits = ["green hair", "short hair", "yellow dress"]

[base.training]
rank = 4
alpha = 2
unet_lr = 2e-3
text_encoder_lr = 1e-3
epochs = 3
batch_size = 2
resolution = 64
buckets = false
save_every_epochs = 2
extra = {{ min_snr_gamma = 5 }}

[base.gate]
mode = "off"

[trainer]
engine = "embedded"
device = "cpu"
"""

Train = Callable[[TrainStage, str], "Trained"]


@dataclass(frozen=True)
class Trained:
    """What a trainer left: LoRA files, each step's loss, the last step that it told of."""

    folder: Path
    losses: list[float]
    step: int


@pytest.fixture
def stage(tmp_path: Path) -> TrainStage:
    """A base of two characters, the first seen three times as often."""
    demo_renders(tmp_path / "renders")
    for path in (tmp_path / "renders").rglob("*.png"):
        with Image.open(path) as image:
            image.resize((200, 200)).save(path)  # no whole multiple of 64
    (tmp_path / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    plan = compile_plan([check(scan(load(tmp_path / "recipe.toml")))])
    return next(stage for stage in plan.stages if isinstance(stage, TrainStage))


@pytest.fixture
def trainers(real_trainer: Installation, tmp_path: Path) -> dict[str, Installation]:
    """Both trainers, with the nano's tokenizer."""
    tokenizers = tmp_path / "tokenizers"
    tokenizers.mkdir()
    (tokenizers / "openai_clip-vit-large-patch14").symlink_to(NANO / "tokenizer")
    return {"sd-scripts": replace(real_trainer, tokenizers=tokenizers), "embedded": find_trainer("embedded")}


@pytest.fixture
def train(trainers: dict[str, Installation], tmp_path: Path) -> Train:
    """Train a stage with one of the two trainers, on one footing."""

    def run(stage: TrainStage, name: str) -> Trained:
        folder, trainer = tmp_path / f"{name}-{stage.processes}", trainers[name]
        losses = folder / "losses"
        python = _wrapped(trainer.python, folder, PARITY_LOSSES=losses)
        store = Store(folder / "store")
        stage_images(stage.data, store.begin(stage.data.short, stage.data.identity()))
        store.keep(stage.data.short)
        made = store.begin(stage.short, stage.identity())
        command = train_command(stage, replace(trainer, python=python), store)
        assert command
        *_, last = read_progress(stage.key, launch(command))
        return Trained(made, [float(line) for line in losses.read_text().split()], last.step)

    return run


def _wrapped(python: Path, folder: Path, **variables: Path) -> Path:
    """Make an interpreter that puts a trainer on the common footing."""
    folder.mkdir(exist_ok=True)
    told = {"PYTHONPATH": INSIDE / "parity", "PARITY_UNET": NANO / "unet" / "config.json", **variables}
    wrapper = folder / "python"
    words = " ".join(f'{name}="{value}"' for name, value in told.items())
    wrapper.write_text(f'#!/bin/sh\n{words} exec "{python}" "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


def _apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Largest difference, over the largest value."""
    largest = max(float(part.abs().max()) for part in one.values())
    return max(float((one[name] - other[name]).abs().max()) for name in one) / largest


@pytest.mark.parametrize("mask", [None, "figure"])
def test_the_same_noise_gives_the_same_losses_and_weights(
    stage: TrainStage, train: Train, mask: Literal["figure"] | None
) -> None:
    """One image, so that the order is no question: 12 steps of batch 2, text encoder, min-SNR, cosine."""
    data = DataStage((stage.data.groups[0][:1],), masked=mask is not None)
    training = stage.training.model_copy(update={"mask": mask})
    one = replace(stage, data=data, training=training, repeats=(8,))
    theirs, ours = train(one, "sd-scripts"), train(one, "embedded")
    assert (theirs.step, len(theirs.losses)) == (ours.step, len(ours.losses)) == (12, 12)
    apart = np.abs(np.array(theirs.losses) / np.array(ours.losses) - 1)
    a, b = load_file(theirs.folder / LORA), load_file(ours.folder / LORA)
    sys.stderr.write(f"losses apart by {apart.max():.2e}, weights by {_apart(a, b):.2e}\n")
    assert apart.max() < 1e-5
    assert {name: part.shape for name, part in a.items()} == {name: part.shape for name, part in b.items()}
    assert _apart(a, b) < 1e-3


def test_the_same_steps_names_and_files(stage: TrainStage, train: Train) -> None:
    """The whole set, shuffled by each trainer in its own way: the curves agree, and the count of everything."""
    theirs, ours = train(stage, "sd-scripts"), train(stage, "embedded")
    assert theirs.step == ours.step == len(theirs.losses) == len(ours.losses) == stage.steps.total
    names = [sorted(path.name for path in one.folder.glob("*.safetensors")) for one in (theirs, ours)]
    assert names[0] == names[1] == ["lora-000002.safetensors", LORA]
    means = [np.mean(one.losses) for one in (theirs, ours)]
    sys.stderr.write(f"mean losses {means[0]:.4f} and {means[1]:.4f}\n")
    assert abs(means[0] / means[1] - 1) < 0.25
    for name in names[0]:
        _hashes_are_those_that_were_written(theirs.folder / name)


def _hashes_are_those_that_were_written(lora: Path) -> None:
    found = inspect(lora)
    assert {claim.name: claim.is_true for claim in found.claims} == {"sshs_model_hash": True, "sshs_legacy_hash": True}
    assert found.hashes.a1111 == found.hashes.autov3 == found.metadata["sshs_model_hash"][:12]
    assert (found.flavour.title, found.family.name) == ("LoRA (kohya)", "sd15")
    assert {part.name: (*part.ranks, *part.alphas) for part in found.parts} == {
        "U-Net": ("4", "2"),
        "text encoder": ("4", "2"),
    }


def test_two_processes_of_sd_scripts_share_the_batches(stage: TrainStage, train: Train) -> None:
    """Half the steps, at the same learning rates: with the same noise in both, they learn what one learns in as many."""
    data = DataStage((stage.data.groups[0][:1],))
    training = stage.training.model_copy(update={"batch_size": 1, "warmup_steps": 5})
    two = replace(stage, data=data, training=training, repeats=(7,), processes=2, can_go_on=False)
    assert (two.steps.batches, two.steps.per_epoch, two.steps.total) == (7, 4, 12)
    shared, alone = train(two, "sd-scripts"), train(replace(two, repeats=(4,), processes=1), "sd-scripts")
    assert (shared.step, alone.step) == (12, 12)
    assert (len(shared.losses), len(alone.losses)) == (24, 12)  # each process tells the loss of its own batch
    assert {path.name for path in shared.folder.glob("*.safetensors")} == {LORA, "lora-000002.safetensors"}
    assert np.allclose(sorted(shared.losses), np.repeat(sorted(alone.losses), 2), rtol=1e-5)
    assert _apart(load_file(shared.folder / LORA), load_file(alone.folder / LORA)) < 1e-5


@pytest.mark.parametrize("trainer", ["sd-scripts", "embedded"])
def test_a_lora_of_either_means_the_same_to_both(
    stage: TrainStage, train: Train, real_trainer: Installation, tmp_path: Path, trainer: str
) -> None:
    lora, answer = train(stage, trainer).folder / LORA, tmp_path / "answer.safetensors"
    words = [INSIDE / "apply_lora.py", real_trainer.checkout, NANO, lora, answer]
    subprocess.run([_wrapped(real_trainer.python, tmp_path / "apply"), *map(str, words)], check=True)
    unet = UNet2DConditionModel.from_pretrained(NANO, subfolder="unet", torch_dtype=torch.float32).eval()
    encoder = CLIPTextModel.from_pretrained(NANO, subfolder="text_encoder", dtype=torch.float32).eval()
    plain = _answer(unet, encoder)
    load_lora(lora, unet, encoder, 1.0)
    ours, theirs = _answer(unet, encoder), load_file(answer)
    assert _apart(theirs, ours) < 1e-4
    assert _apart(theirs, plain) > 1e-3


@pytest.mark.parametrize("name", ["sd-scripts", "embedded"])
def test_a_training_that_is_killed_and_paused_goes_on_each_time(
    stage: TrainStage, signals: None, trainers: dict[str, Installation], tmp_path: Path, name: str
) -> None:
    """It ends after its epochs, with the weights of one that nobody stopped."""
    (tmp_path / "recipe.toml").write_text(RECIPE.replace("epochs = 3", "epochs = 7"), encoding="utf-8")
    plan = compile_plan([check(scan(load(tmp_path / "recipe.toml")))])
    [training] = [stage for stage in plan.stages if isinstance(stage, TrainStage)]
    trainer = replace(trainers[name], python=_wrapped(trainers[name].python, tmp_path / name))
    store, whole = Store(tmp_path / "killed"), Store(tmp_path / "whole")
    told = []
    for killed, paused in ((3, 99), (99, 6), (99, 99)):
        install()  # as the program does when it starts
        with closing(execute(plan, Here(trainer, store), tmp_path / "out")) as events, suppress(Interrupted):
            for event in events:
                if isinstance(event, Started) and event.kind == "train":
                    told.append(event.why.partition("; ")[2])
                if isinstance(event, Progress) and event.epoch >= killed:
                    break
                if isinstance(event, Progress) and event.epoch >= paused:
                    os.kill(os.getpid(), signal.SIGINT)
                    paused = 99
                if isinstance(event, Paused):
                    told.append(f"{event.step} of {event.steps}")
    assert told[:2] == ["", "goes on after epoch 2"]
    step = int(told[2].removesuffix(" of 56"))
    assert 40 < step < 48
    assert told[3:] == [f"goes on after epoch 5 and {step - 40} steps"]
    for _ in execute(plan, Here(trainer, whole), tmp_path / "out-whole"):
        pass
    names = [sorted(path.name for path in one.path(training.short).glob("lora*")) for one in (store, whole)]
    assert names[0] == names[1] == [*(f"lora-{epoch:06}.safetensors" for epoch in (2, 4, 6)), LORA]
    one, other = (load_file(kept.path(training.short) / LORA) for kept in (store, whole))
    apart = _apart(one, other)
    sys.stderr.write(f"{trainer}: weights of a training killed and paused apart by {apart:.2e}\n")
    assert apart == 0
    metadata = Weights(store.path(training.short) / LORA).metadata
    assert (metadata["ss_epoch"], metadata["ss_num_epochs"]) == ("7", "7")


def _answer(unet: UNet2DConditionModel, encoder: CLIPTextModel) -> dict[str, torch.Tensor]:
    """What ``inside/apply_lora.py`` asks."""
    torch.manual_seed(0)
    latents = torch.randn(2, unet.config.in_channels, 8, 8)
    tokens = torch.randint(0, 300, (2, 16))
    with torch.no_grad():
        states = encoder(tokens)[0]
        return {"states": states, "guess": unet(latents, torch.tensor([10, 700]), states).sample}
