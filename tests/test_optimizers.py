"""Optimizers and schedulers, tried by the pinned trainer's own functions before anything is trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lorarecipe.dataset import scan
from lorarecipe.errors import CheckFailed, MachineNotReady
from lorarecipe.files import home
from lorarecipe.plan import TrainStage, compile_plan
from lorarecipe.recipe import load
from lorarecipe.rules import check
from lorarecipe.store import Store
from lorarecipe.trainer import Installation, find_trainer, try_optimizers

CASES: dict[str, tuple[dict[str, object], str]] = {
    "a key that the optimizer does not have": ({"extra": {"optimizer_args": ["d_coeff=2"]}}, "unexpected keyword argument 'd_coeff'"),
    "rates that Prodigy refuses": ({"optimizer": "Prodigy", "unet_lr": 1.0, "text_encoder_lr": 0.5}, "Setting different lr values"),
    "AdaFactor with a warm-up": ({"optimizer": "AdaFactor", "scheduler": "cosine", "warmup_steps": 1}, "does not require `num_warmup_steps`"),
    "a scheduler's argument": ({"extra": {"lr_scheduler_args": ["T_max=100"]}}, "unexpected keyword argument 'T_max'"),
    "an empty LoRA": ({"extra": {"network_args": ["loraplus_lr_ratio=0"]}}, "not trained"),
}  # fmt: skip


@pytest.fixture
def stage(folder: Path) -> TrainStage:
    """The base's training of a recipe."""
    plan = compile_plan([check(scan(load(folder / "recipe.toml")))])
    return next(stage for stage in plan.stages if isinstance(stage, TrainStage))


@pytest.mark.sd_scripts
def test_what_the_trainer_refuses_is_told_before_it_trains(
    real_trainer: Installation, stage: TrainStage, store: Store
) -> None:
    trainings = {
        name: replace(stage, training=stage.training.model_copy(update=update)) for name, (update, _) in CASES.items()
    }
    decayed = stage.training.model_copy(update={"extra": {"optimizer_args": ["weight_decay=0.1"]}})
    good = {"a good one": replace(stage, training=decayed)}
    with pytest.raises(CheckFailed) as caught:
        try_optimizers({**good, **trainings}, real_trainer, store)
    faults = str(caught.value).splitlines()[:-1]
    assert [fault.partition(": ")[0] for fault in faults] == [*CASES]
    assert all(expected in fault for fault, (_, expected) in zip(faults, CASES.values(), strict=True))
    assert len(list((home() / "optimizers").iterdir())) == 1
    broken = replace(real_trainer, python=Path("/bin/false"))
    try_optimizers(good, broken, store)  # it is remembered, and nothing is started
    with pytest.raises(MachineNotReady, match="run: lorarecipe doctor"):
        try_optimizers(trainings, broken, store)


def test_what_no_optimizer_refuses_starts_nothing(fake_trainer: Installation, stage: TrainStage, store: Store) -> None:
    trainer = replace(fake_trainer, python=Path("/bin/false"))
    try_optimizers({"base": stage}, trainer, store)
    other = replace(stage, training=stage.training.model_copy(update={"optimizer": "Lion"}))
    with pytest.raises(MachineNotReady, match="run: lorarecipe doctor"):
        try_optimizers({"base": other}, trainer, store)


def test_the_embedded_trainer_is_not_asked(stage: TrainStage, store: Store) -> None:
    try_optimizers({"base": stage}, find_trainer("embedded"), store)
    assert not (home() / "optimizers").exists()
