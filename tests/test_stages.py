from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lorarecipe.plan import BaseFile, DataStage, MergeStage, Model, TrainStage
from lorarecipe.plan.given import Image
from lorarecipe.recipe import Training

TRAINING = Training(rank=4, alpha=4, unet_lr=1e-4, epochs=1, resolution=(512, 512))
IMAGE = Image(Path("/a/x.png"), "d1", "red hair, full body", 512, 512)
DATA = DataStage(((IMAGE,),))
MODEL = Model("sd15", Path("/m/sd.safetensors"), "c1", "fp16")
BASE = TrainStage(DATA, (10,), MODEL, TRAINING, "commit")
MERGE = MergeStage(MODEL, BASE, 1.0, "commit")
TARGET = TrainStage(DATA, (10,), MODEL, TRAINING, "commit", merged=MERGE)


@pytest.mark.parametrize(
    ("stage", "key"),
    [
        (DATA, "3ee2bd4c"),
        (BASE, "dcf24068"),
        (MERGE, "b51dce8e"),
        (TARGET, "e373cf88"),
        (replace(TARGET, merged=None, loaded=BASE), "3be80e2d"),
        (BaseFile(Path("x"), "b1"), "1f8bd795"),
    ],
)
def test_keys_are_pinned(stage: DataStage | TrainStage | MergeStage | BaseFile, key: str) -> None:
    """A change here throws away every finished training of every user: let it be meant."""
    assert stage.key[:8] == key


@pytest.mark.parametrize(
    "same",
    [
        replace(BASE, data=DataStage(((replace(IMAGE, path=Path("/b/y.png")),),))),
        replace(BASE, model=replace(MODEL, path=Path("/other"), precision="bf16")),
        replace(BASE, device="cuda:1"),
    ],
)
def test_names_paths_and_machines_are_in_no_key(same: TrainStage) -> None:
    assert same.key == BASE.key


@pytest.mark.parametrize(
    "other",
    [
        replace(BASE, data=DataStage(((replace(IMAGE, caption="blue hair"),),))),
        replace(BASE, data=DataStage(((replace(IMAGE, digest="d2"),),))),
        replace(BASE, repeats=(11,)),
        replace(BASE, model=replace(MODEL, sha256="c2")),
        replace(BASE, model=replace(MODEL, clip_skip=2)),
        replace(BASE, model=replace(MODEL, v_prediction=True)),
        replace(BASE, model=replace(MODEL, vae_sha256="v1")),
        replace(BASE, training=TRAINING.model_copy(update={"seed": 1})),
        replace(BASE, training=TRAINING.model_copy(update={"extra": {"min_snr_gamma": 5}})),
        replace(BASE, commit="another"),
        replace(BASE, processes=2),
        TARGET,
        replace(BASE, loaded=BASE),
        replace(BASE, loaded=BASE, strength=0.9),
    ],
)
def test_what_changes_the_weights_changes_the_key(other: TrainStage) -> None:
    assert other.key != BASE.key
    assert replace(TARGET, merged=MergeStage(MODEL, other, 1.0, "commit")).key != TARGET.key
