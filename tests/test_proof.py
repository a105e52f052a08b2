from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from lorarecipe.errors import TrainingFailed
from lorarecipe.families import FAMILIES, trained_modules
from lorarecipe.plan import BaseFile, MergeStage, Source, TrainStage
from lorarecipe.trainer import prove_lora, prove_merge
from lorarecipe.weights import Weights, change
from tests.conftest import tiny_checkpoint
from tests.test_stages import BASE, MODEL, TRAINING


@pytest.fixture
def stage(tmp_path: Path) -> TrainStage:
    """A U-Net-only training of rank 2 on the tiny checkpoint."""
    tiny_checkpoint(tmp_path / "sd.safetensors")
    model = replace(MODEL, components={"path": Source(tmp_path / "sd.safetensors", "c1")})
    return replace(BASE, model=model, training=TRAINING.model_copy(update={"rank": 2}))


def _lora(
    stage: TrainStage, path: Path, scale: float = 0.1
) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    checkpoint = Weights(stage.model.main.path)
    homes = {module: name for name in checkpoint.names for module in FAMILIES["sd15"].modules_of(name)}
    random = np.random.default_rng(1)
    tensors = {}
    for module in trained_modules(checkpoint.shapes, FAMILIES["sd15"], text_encoder=False):
        rows, columns, *ends = checkpoint.shapes[homes[module]]
        tensors[f"{module}.lora_down.weight"] = random.normal(size=(2, columns, *ends)).astype("float32")
        tensors[f"{module}.lora_up.weight"] = (scale * random.normal(size=(rows, 2, *ends))).astype("float32")
        tensors[f"{module}.alpha"] = np.array(1.0, dtype="float32")
    save_file(tensors, path)
    return tensors


def _merge(stage: TrainStage, lora: Path, path: Path, strength: float, dtype: str) -> MergeStage:
    tensors = {name: value.astype("float32") for name, value in load_file(stage.model.main.path).items()}
    weights = Weights(lora)
    for name in tensors:
        for module in FAMILIES["sd15"].modules_of(name):
            if f"{module}.alpha" in weights.names:
                tensors[name] = tensors[name] + change(weights, module, strength).reshape(tensors[name].shape)
    save_file({name: value.astype(dtype) for name, value in tensors.items()}, path)
    return MergeStage(stage.model, BaseFile(lora, "b"), strength, "c")


def test_a_good_lora(stage: TrainStage, tmp_path: Path) -> None:
    _lora(stage, tmp_path / "lora.safetensors")
    assert prove_lora(tmp_path / "lora.safetensors", stage) == {"modules": 4, "rank": 2}


def test_a_missing_module(stage: TrainStage, tmp_path: Path) -> None:
    tensors = _lora(stage, tmp_path / "lora.safetensors")
    gone = next(name for name in tensors if name.endswith("to_q.lora_down.weight"))
    save_file({name: value for name, value in tensors.items() if name != gone}, tmp_path / "lora.safetensors")
    with pytest.raises(TrainingFailed, match="1 trained modules are missing"):
        prove_lora(tmp_path / "lora.safetensors", stage)


def test_an_untrained_text_encoder_is_noticed(stage: TrainStage, tmp_path: Path) -> None:
    _lora(stage, tmp_path / "lora.safetensors")
    with_encoder = replace(stage, training=stage.training.model_copy(update={"text_encoder_lr": 1e-5}))
    with pytest.raises(TrainingFailed, match=r"2 trained modules are missing \(lora_te_"):
        prove_lora(tmp_path / "lora.safetensors", with_encoder)


def test_another_rank(stage: TrainStage, tmp_path: Path) -> None:
    _lora(stage, tmp_path / "lora.safetensors")
    other = replace(stage, training=TRAINING)
    with pytest.raises(TrainingFailed, match=r"found ranks \[2\], expected 4"):
        prove_lora(tmp_path / "lora.safetensors", other)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_number_that_is_not_finite(stage: TrainStage, tmp_path: Path, bad: float) -> None:
    tensors = _lora(stage, tmp_path / "lora.safetensors")
    tensors[max(tensors)].flat[-1] = bad
    save_file(tensors, tmp_path / "lora.safetensors")
    with pytest.raises(TrainingFailed, match="not finite"):
        prove_lora(tmp_path / "lora.safetensors", stage)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_a_good_merge(stage: TrainStage, tmp_path: Path, dtype: str, strength: float) -> None:
    _lora(stage, tmp_path / "lora.safetensors")
    merge = _merge(stage, tmp_path / "lora.safetensors", tmp_path / "merged.safetensors", strength, dtype)
    proof = prove_merge(tmp_path / "merged.safetensors", tmp_path / "lora.safetensors", merge)
    assert (proof["matched"], proof["compared"]) == (4, 4)
    assert float(proof["changed"]) > 0.9


@pytest.mark.parametrize("strength", [0.9, 1.1, 0.0])
def test_a_merge_at_another_strength(stage: TrainStage, tmp_path: Path, strength: float) -> None:
    _lora(stage, tmp_path / "lora.safetensors")
    merge = _merge(stage, tmp_path / "lora.safetensors", tmp_path / "merged.safetensors", strength, "float16")
    with pytest.raises(TrainingFailed, match="is not the checkpoint's weight plus the base's"):
        prove_merge(tmp_path / "merged.safetensors", tmp_path / "lora.safetensors", replace(merge, strength=1.0))


def test_a_merge_too_small_for_the_precision(stage: TrainStage, tmp_path: Path) -> None:
    _lora(stage, tmp_path / "lora.safetensors", scale=1e-9)
    merge = _merge(stage, tmp_path / "lora.safetensors", tmp_path / "merged.safetensors", 1.0, "float16")
    with pytest.raises(TrainingFailed, match="the merge changed nothing"):
        prove_merge(tmp_path / "merged.safetensors", tmp_path / "lora.safetensors", merge)


def test_a_base_without_a_home(stage: TrainStage, tmp_path: Path) -> None:
    tensors = _lora(stage, tmp_path / "lora.safetensors")
    save_file({f"x{name}": value for name, value in tensors.items()}, tmp_path / "lora.safetensors")
    merge = _merge(stage, tmp_path / "lora.safetensors", tmp_path / "merged.safetensors", 1.0, "float16")
    with pytest.raises(TrainingFailed, match="4 modules match no weight"):
        prove_merge(tmp_path / "merged.safetensors", tmp_path / "lora.safetensors", merge)
