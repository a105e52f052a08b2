from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from lorarecipe.plan import DataStage, Model, Source, TrainStage
from lorarecipe.plan.data import Image
from lorarecipe.plan.steps import Bucket, BucketChooser, count_steps
from lorarecipe.recipe import Training
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, train_command

_BASE = {"rank": 4, "alpha": 4.0, "unet_lr": 1e-4, "epochs": 3, "resolution": 128}


def _training(**over: Any) -> Training:
    return Training.model_validate({**_BASE, "buckets": {"min": 64, "max": 256}, **over})


def test_the_documented_example() -> None:
    """Buckets of 4 and 24 visits at batch 2 are 14 batches."""
    steps = count_steps([((96, 160), 4), ((128, 128), 24)], _training(batch_size=2), 1)
    assert steps.buckets == (Bucket(64, 192, 4, 2), Bucket(128, 128, 24, 12))
    assert (steps.batches, steps.per_epoch, steps.total, steps.epochs) == (14, 14, 42, 3)


def test_processes_and_accumulation_round_up() -> None:
    steps = count_steps([((128, 128), 7)], _training(extra={"gradient_accumulation_steps": 2}), 2)
    assert (steps.batches, steps.per_epoch, steps.total) == (7, 2, 6)


def test_steps_give_the_epochs_that_hold_them() -> None:
    steps = count_steps([((128, 128), 4)], _training(epochs=None, steps=10), 1)
    assert (steps.total, steps.per_epoch, steps.epochs) == (10, 4, 3)


@pytest.mark.parametrize("size", [(60, 300), (700, 70), (4000, 70)])
def test_what_has_no_bucket_has_a_side_of_nothing(size: tuple[int, int]) -> None:
    """sd-scripts divides by zero on these."""
    training = _training(resolution=256, buckets={"min": 128, "max": 256, "step": 128, "no_upscale": True})
    assert 0 in BucketChooser(training.resolution, training.buckets).bucket(size)


# --- against the pinned checkout itself ---


class Oracle:
    """The checkout's own parser and dataset code, in one process of its own environment."""

    def __init__(self, trainer: Installation) -> None:
        script = Path(__file__).parent / "inside" / "oracle.py"
        self._process = subprocess.Popen(
            [trainer.python, script, trainer.checkout], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, argv: list[str]) -> dict[str, Any]:
        """Give what sd-scripts makes of a training's arguments."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert isinstance(stdin, IO) or stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(argv) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


@pytest.fixture(scope="module")
def oracle(real_trainer: Installation) -> Iterator[Oracle]:
    asked = Oracle(real_trainer)
    yield asked
    asked.close()


_sides = st.integers(70, 700)
_tags = st.lists(
    st.sampled_from(["red hair", "full body", "髪", 'a "quoted" tag', "x\\y", "#", "1"]), min_size=1, max_size=4
)
_pictures = st.lists(st.tuples(_sides, _sides, _tags), min_size=1, max_size=6)
_buckets = st.just(False) | st.builds(
    lambda low, high, step, no_upscale: {"min": low * 64, "max": high * 64, "step": step, "no_upscale": no_upscale},
    st.sampled_from([2, 4]),
    st.sampled_from([8, 12, 16]),
    st.sampled_from([64, 128]),
    st.booleans(),
)
_trainings = st.fixed_dictionaries(
    {
        "rank": st.integers(1, 128),
        "alpha": st.floats(0.1, 128),
        "unet_lr": st.floats(1e-6, 1),
        "text_encoder_lr": st.none() | st.floats(1e-6, 1),
        "batch_size": st.integers(1, 5),
        "resolution": st.sampled_from([256, 512, [256, 384], [512, 320]]),
        "buckets": _buckets,
        "optimizer": st.sampled_from(["AdamW", "Prodigy", "AdaFactor"]),
        "scheduler": st.sampled_from(["cosine", "constant_with_warmup"]),
        "warmup_steps": st.integers(0, 20),
        "precision": st.sampled_from(["no", "fp16", "bf16"]),
        "seed": st.integers(0, 2**32 - 1),
        "gradient_checkpointing": st.booleans(),
        "save_every_epochs": st.none() | st.integers(1, 3),
        "extra": st.fixed_dictionaries(
            {},
            optional={
                "min_snr_gamma": st.floats(0, 10),
                "gradient_accumulation_steps": st.integers(1, 3),
                "noise_offset": st.floats(-0.1, 0.1),
                "shuffle_caption": st.booleans(),
                "network_args": st.just(["conv_dim=4", "conv_alpha=1"]),
                "loss_type": st.sampled_from(["l2", "huber"]),
            },
        ),
    }
)


@pytest.mark.sd_scripts
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    groups=st.lists(st.tuples(_pictures, st.integers(1, 4)), min_size=1, max_size=3),
    training=_trainings,
    length=st.tuples(st.sampled_from(["epochs", "steps"]), st.integers(1, 40)),
    family=st.sampled_from(["sd15", "sd2"]),
)
def test_the_plan_is_what_the_trainer_makes_of_it(
    oracle: Oracle,
    real_trainer: Installation,
    tmp_path_factory: pytest.TempPathFactory,
    groups: list[tuple[list[tuple[int, int, list[str]]], int]],
    training: dict[str, Any],
    length: tuple[str, int],
    family: Any,
) -> None:
    """Argv and dataset TOML are accepted, and images, captions, repeats, buckets and steps are as planned."""
    folder = tmp_path_factory.mktemp("plan")
    settings_ = Training.model_validate({**training, length[0]: length[1]})
    staged = tuple(
        tuple(
            Image(Path("x"), f"{g}.{n}", ", ".join(tags), wide, high) for n, (wide, high, tags) in enumerate(pictures)
        )
        for g, (pictures, _) in enumerate(groups)
    )
    stage = TrainStage(
        DataStage(staged),
        tuple(repeats for _, repeats in groups),
        Model(family, {"path": Source(Path("m"), "0")}),
        settings_,
        "c",
    )
    assume(all(bucket.width and bucket.height for bucket in stage.steps.buckets))  # else no plan is made
    store = Store(folder)
    copies = store.path(stage.data.short)
    for g, group in enumerate(staged):
        (copies / f"{g:02}").mkdir(parents=True)
        for n, image in enumerate(group):
            Pillow.new("1", (image.width, image.height)).save(copies / f"{g:02}" / f"{n:05}.png")
            (copies / f"{g:02}" / f"{n:05}.txt").write_text(image.caption + "\n", encoding="utf-8")
    command = train_command(stage, real_trainer, store)
    assert command is not None
    command.folder.mkdir(parents=True)
    for name, text in command.files.items():
        (command.folder / name).write_text(text, encoding="utf-8")
    script = command.argv.index(str(real_trainer.checkout / "train_network.py"))

    answer = oracle.ask(list(command.argv[script + 1 :]))

    assert answer["images"] == [
        [str(copies / f"{g:02}" / f"{n:05}.png"), image.caption, repeats, [image.width, image.height]]
        for g, (group, (_, repeats)) in enumerate(zip(staged, groups, strict=True))
        for n, image in enumerate(group)
    ]
    planned = stage.steps
    assert answer["buckets"] == [[bucket.width, bucket.height, bucket.images] for bucket in planned.buckets]
    assert answer["batches"] == planned.batches
    assert answer["steps"] == planned.total
    assert answer["epochs"] == planned.epochs
