"""The merge: what it changes, what it leaves, and sd-scripts' own script as the oracle."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.torch import load_file, save_file

from lorarecipe.demo import NANO
from lorarecipe.errors import TrainingFailed
from lorarecipe.trainer import Place
from lorarecipe.weights import Family, Folder, Weights, change, merge
from tests import rehearsal
from tests.conftest import tiny_checkpoint

INSIDE = Path(__file__).parent / "inside"
FULL = Path(__file__).parent.parent / "recipes" / "rehearsal" / "checkpoint.safetensors"
ATTENTION = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"


def small_lora(path: Path, module: str = ATTENTION) -> Path:
    dice = torch.Generator().manual_seed(0)
    tensors = {
        f"{module}.lora_down.weight": torch.randn(2, 64, generator=dice),
        f"{module}.lora_up.weight": torch.randn(64, 2, generator=dice),
        f"{module}.alpha": torch.tensor(1.0),
    }
    save_file(tensors, path)
    return path


def test_a_folder_changes_where_the_lora_says_so_and_nowhere_else(tmp_path: Path) -> None:
    lora = small_lora(tmp_path / "lora.safetensors")
    merge(Folder(NANO), Weights(lora), 0.5, tmp_path / "merged", "sd15")
    before, after, weights = Folder(NANO), Folder(tmp_path / "merged"), load_file(lora)
    name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    up, down = (weights[f"{ATTENTION}.lora_{which}.weight"].numpy() for which in ("up", "down"))
    wanted = (before.read(name) + np.float32(0.5 * 0.5) * (up @ down)).astype(np.float16)
    assert np.array_equal(after.read(name), wanted.astype(np.float32))
    assert before.names == after.names
    assert all(np.array_equal(before.read(one), after.read(one)) for one in before.names - {name})
    files = [{path.relative_to(root) for path in root.rglob("*")} for root in (NANO, tmp_path / "merged")]
    assert files[0] == files[1]


def test_a_folder_keeps_what_else_it_holds(tmp_path: Path) -> None:
    """Each tensor its own precision, whole numbers as they are; a download's other files are not copied."""
    checkpoint, merged = tmp_path / "checkpoint", tmp_path / "merged"
    shutil.copytree(NANO, checkpoint)
    (checkpoint / "unet" / "diffusion_pytorch_model.bin").write_bytes(b"pickled")
    file = checkpoint / "text_encoder" / "model.safetensors"
    tensors = {name: part.bfloat16() for name, part in load_file(file).items()}
    positions = torch.arange(32)[None]
    save_file({**tensors, "text_model.embeddings.position_ids": positions}, file)
    merge(Folder(checkpoint), Weights(small_lora(tmp_path / "lora.safetensors")), 1.0, merged, "sd15")
    after = load_file(merged / "text_encoder" / "model.safetensors")
    assert torch.equal(after.pop("text_model.embeddings.position_ids"), positions)
    assert all(torch.equal(after[name], tensors[name]) for name in tensors)
    assert not list(merged.rglob("*.bin"))


def test_what_has_another_shape_is_named_and_nothing_written(tmp_path: Path) -> None:
    path = small_lora(tmp_path / "lora.safetensors")
    save_file(load_file(path) | {f"{ATTENTION}.lora_up.weight": torch.zeros(65, 2)}, path)
    with pytest.raises(TrainingFailed, match=f"found {ATTENTION}.alpha, .* match no weight of"):
        merge(Folder(NANO), Weights(path), 1.0, tmp_path / "merged", "sd15")
    assert not (tmp_path / "merged").exists()


@pytest.mark.parametrize(
    "strange", ["lora_unet_elsewhere.lora_up.weight", f"{ATTENTION}.dora_scale", "unet.to_q.lora_A.weight"]
)
def test_what_has_no_weight_is_named_and_nothing_written(tmp_path: Path, strange: str) -> None:
    path = small_lora(tmp_path / "lora.safetensors")
    save_file({**load_file(path), strange: torch.zeros(2, 2)}, path)
    with pytest.raises(
        TrainingFailed, match=f"found {strange}, which match no weight of .* in its shape; expected a LoRA in kohya"
    ):
        merge(Folder(NANO), Weights(path), 1.0, tmp_path / "merged", "sd15")
    assert not (tmp_path / "merged").exists()


def test_a_base_of_another_family(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "checkpoint.safetensors")
    lora, checkpoint = Weights(small_lora(tmp_path / "lora.safetensors")), Weights(tmp_path / "checkpoint.safetensors")
    with pytest.raises(TrainingFailed, match="for a checkpoint of this family \\(sdxl\\)"):
        merge(checkpoint, lora, 1.0, tmp_path / "merged.safetensors", "sdxl")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@given(values=arrays(np.float32, (3, 5), elements=st.floats(width=32, allow_nan=False)))
def test_values_are_rounded_as_torch_does(
    tmp_path_factory: pytest.TempPathFactory, dtype: torch.dtype, values: np.ndarray
) -> None:
    path = tmp_path_factory.mktemp("rounded") / "one.safetensors"
    save_file({"a": torch.ones(2, dtype=torch.int64), "w": torch.zeros(3, 5, dtype=dtype)}, path)
    Weights(path).overwrite(path, "w", np.split(values, [1]))
    after = load_file(path)
    assert torch.equal(after["w"], torch.from_numpy(values.copy()).to(dtype))
    assert torch.equal(after["a"], torch.ones(2, dtype=torch.int64))


def _checkpoint(family: Family, size: str, place: Place, folder: Path) -> tuple[Path, dict[str, str]]:
    """A checkpoint of random weights, and the environment that the script reads it in."""
    paths = [str(place.checkout)]
    if size == "full":
        rehearsal.checkpoint(FULL)
        return FULL, {"PYTHONPATH": paths[0]}
    env = {"PYTHONPATH": f"{INSIDE / 'nano'}:{paths[0]}"}
    path = folder / "checkpoint.safetensors"
    words = (place.python, INSIDE / "random_checkpoint.py", place.checkout, family, path)
    subprocess.run([*map(str, words)], check=True, env=env)
    return path, env


@pytest.mark.sd_scripts
@pytest.mark.parametrize(("family", "size", "rank"), [("sd15", "nano", 8), ("sdxl", "nano", 16), ("sd15", "full", 32)])
def test_the_same_as_the_script_to_the_last_bit(
    real_place: Place, tmp_path: Path, family: Family, size: str, rank: int
) -> None:
    checkpoint, env = _checkpoint(family, size, real_place, tmp_path)
    lora, ours, theirs = (tmp_path / f"{name}.safetensors" for name in ("lora", "ours", "theirs"))
    rehearsal.lora(lora, checkpoint, family, rank)
    script = "sdxl_merge_lora.py" if family == "sdxl" else "merge_lora.py"
    words = [
        *(str(real_place.python), str(real_place.script(f"networks/{script}"))),
        *("--sd_model", str(checkpoint), "--save_to", str(theirs), "--models", str(lora), "--ratios", "0.9"),
        *("--precision", "float", "--save_precision", "fp16"),
    ]
    subprocess.run(words, check=True, env=env | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""})
    merge(Weights(checkpoint), Weights(lora), 0.9, ours, family)
    mine, its, before = Weights(ours), Weights(theirs), Weights(checkpoint)
    assert mine.names == its.names
    changed = 0
    for name in mine.names:
        if mine.dtype(name) == "F16":
            assert np.array_equal(mine.read(name), its.read(name)), name
            changed += not np.array_equal(mine.read(name), before.read(name))
    assert changed == {"sd15": 264, "sdxl": 722 + 72 + 32 * 4}[family]


def test_change_is_the_product_at_its_scale(tmp_path: Path) -> None:
    lora = Weights(small_lora(tmp_path / "lora.safetensors"))
    product = lora.read(f"{ATTENTION}.lora_up.weight") @ lora.read(f"{ATTENTION}.lora_down.weight")
    assert np.allclose(change(lora, ATTENTION, 0.5), 0.25 * product)
