"""The merge: what it changes, what it leaves, and sd-scripts' own script as the oracle."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
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
from lorarecipe.families import FAMILIES
from lorarecipe.weights import Folder, Weights, change, lora_faults, merge
from tests import rehearsal
from tests.conftest import tiny_checkpoint
from tests.narrow import Narrow

INSIDE = Path(__file__).parent / "inside"
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
    merge(Folder(NANO), Weights(lora), 0.5, tmp_path / "merged", FAMILIES["sd15"].modules_of)
    before, after, weights = Folder(NANO), Folder(tmp_path / "merged"), load_file(lora)
    name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    up, down = (weights[f"{ATTENTION}.lora_{which}.weight"].numpy() for which in ("up", "down"))
    wanted = (before.read(name) + np.float32(0.5 * 0.5) * (up @ down)).astype(np.float16)
    assert _steps_apart(after.read(name).astype(np.float16), wanted).max() <= 1
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
    merge(
        Folder(checkpoint), Weights(small_lora(tmp_path / "lora.safetensors")), 1.0, merged, FAMILIES["sd15"].modules_of
    )
    after = load_file(merged / "text_encoder" / "model.safetensors")
    assert torch.equal(after.pop("text_model.embeddings.position_ids"), positions)
    assert all(torch.equal(after[name], tensors[name]) for name in tensors)
    assert not list(merged.rglob("*.bin"))


def test_what_has_another_shape_is_named_and_nothing_written(tmp_path: Path) -> None:
    path = small_lora(tmp_path / "lora.safetensors")
    save_file(load_file(path) | {f"{ATTENTION}.lora_up.weight": torch.zeros(65, 2)}, path)
    with pytest.raises(TrainingFailed, match=f"found {ATTENTION}.alpha, .* match no weight of"):
        merge(Folder(NANO), Weights(path), 1.0, tmp_path / "merged", FAMILIES["sd15"].modules_of)
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
        merge(Folder(NANO), Weights(path), 1.0, tmp_path / "merged", FAMILIES["sd15"].modules_of)
    assert not (tmp_path / "merged").exists()


def test_a_base_of_another_family(tmp_path: Path) -> None:
    tiny_checkpoint(tmp_path / "checkpoint.safetensors")
    lora, checkpoint = Weights(small_lora(tmp_path / "lora.safetensors")), Weights(tmp_path / "checkpoint.safetensors")
    with pytest.raises(TrainingFailed, match="for a checkpoint of this family"):
        merge(checkpoint, lora, 1.0, tmp_path / "merged.safetensors", FAMILIES["sdxl"].modules_of)


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


def _steps_apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How many numbers of half precision lie between two, and one more where they differ."""
    bits = [values.view(np.int16).astype(np.int32) for values in (one, other)]
    in_order = [np.where(part < 0, -(part & 0x7FFF), part) for part in bits]
    apart: np.ndarray = np.abs(in_order[0] - in_order[1])
    return apart


def test_steps_apart() -> None:
    values = np.array([0.0, -0.0, 1.0, -1.0, 65504.0], np.float16)
    assert _steps_apart(values, values).tolist() == [0] * 5
    assert _steps_apart(values, np.nextafter(values, np.float16(-np.inf))).tolist() == [1] * 5


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["lora_up.weight", "lora_down.weight", "alpha", "the checkpoint"])
def test_what_is_not_finite_ends_a_merge_by_name(tmp_path: Path, bad: float, where: str) -> None:
    path, checkpoint = small_lora(tmp_path / "lora.safetensors"), tmp_path / "checkpoint"
    shutil.copytree(NANO, checkpoint)
    file, name = (path, f"{ATTENTION}.{where}")
    if where == "the checkpoint":
        file = checkpoint / "unet" / "diffusion_pytorch_model.safetensors"
        name = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    tensors = load_file(file)
    tensors[name].view(-1)[-1] = bad
    save_file(tensors, file)
    with pytest.raises(TrainingFailed, match="not finite") as caught:
        merge(Folder(checkpoint), Weights(path), 1.0, tmp_path / "merged", FAMILIES["sd15"].modules_of)
    assert str(file) in str(caught.value)
    assert (ATTENTION if file == path else name) in str(caught.value)


def test_an_overflow_ends_a_merge(tmp_path: Path) -> None:
    path = small_lora(tmp_path / "lora.safetensors")
    save_file(load_file(path) | {f"{ATTENTION}.alpha": torch.tensor(1e6)}, path)
    with pytest.raises(TrainingFailed, match=r"is no number of its precision any more.*merge\.strength"):
        merge(Folder(NANO), Weights(path), 1.0, tmp_path / "merged", FAMILIES["sd15"].modules_of)


@pytest.mark.parametrize(
    "alpha", [torch.tensor([1.0]), torch.tensor(1), torch.tensor([1]), torch.tensor(1.0).bfloat16()]
)
def test_alpha_as_real_files_write_it(tmp_path: Path, alpha: torch.Tensor) -> None:
    path, other = small_lora(tmp_path / "lora.safetensors"), tmp_path / "other.safetensors"
    save_file(load_file(path) | {f"{ATTENTION}.alpha": alpha}, other)
    assert lora_faults(Weights(other)) == []
    assert np.array_equal(change(Weights(path), ATTENTION), change(Weights(other), ATTENTION))


@pytest.mark.parametrize(
    ("tensors", "fault"),
    [
        ({"lora_up.weight": torch.tensor(1.0)}, "has the shapes \\[2, 64\\] and \\[\\]"),
        ({"lora_up.weight": torch.zeros(64, 0), "lora_down.weight": torch.zeros(0, 64)}, "has the shapes \\[0, 64\\]"),
        ({"lora_down.weight": torch.zeros(2, 64, dtype=torch.int32)}, "lora_down.weight holds I32, expected floats"),
        ({"alpha": torch.ones(2)}, "alpha has the shape \\[2\\], expected one number"),
        ({"lora_up.weight": torch.zeros(64, 3)}, "has the shapes \\[2, 64\\] and \\[64, 3\\]"),
        ({"lora_up.weight": torch.full((64, 2), torch.nan)}, "not finite"),
        ({"lora_down.weight": torch.zeros(2, 64, dtype=torch.float8_e4m3fn)}, "holds F8_E4M3, expected floats"),
    ],
)
def test_an_odd_lora_is_named(tmp_path: Path, tensors: dict[str, torch.Tensor], fault: str) -> None:
    path = small_lora(tmp_path / "lora.safetensors")
    save_file(load_file(path) | {f"{ATTENTION}.{name}": tensor for name, tensor in tensors.items()}, path)
    [found] = lora_faults(Weights(path))
    assert re.search(fault, found), found


def test_a_merge_that_is_interrupted_computes_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []

    def rewrite(part: object, name: str, *rest: object) -> None:
        begun.append(name)
        raise KeyboardInterrupt

    monkeypatch.setattr(sys.modules["lorarecipe.weights.merging"], "_rewrite", rewrite)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    path = tmp_path / "lora.safetensors"
    rehearsal.lora(path, NANO, "sd15", 2)
    with pytest.raises(KeyboardInterrupt):
        merge(Folder(NANO), Weights(path), 1.0, tmp_path / "merged", FAMILIES["sd15"].modules_of)
    assert len(begun) < 20


@pytest.mark.sd_scripts
@pytest.mark.parametrize(("family", "rank"), [("sd15", 8), ("sdxl", 16)])
def test_the_same_as_the_script_to_one_step(narrow: Narrow, tmp_path: Path, family: str, rank: int) -> None:
    checkpoint, trainer = narrow.checkpoint(family), narrow.trainer
    lora, ours, theirs = (tmp_path / f"{name}.safetensors" for name in ("lora", "ours", "theirs"))
    rehearsal.lora(lora, checkpoint, family, rank)
    script = "sdxl_merge_lora.py" if family == "sdxl" else "merge_lora.py"
    words = [
        *(str(trainer.python), str(trainer.script(f"networks/{script}"))),
        *("--sd_model", str(checkpoint), "--save_to", str(theirs), "--models", str(lora), "--ratios", "0.9"),
        *("--precision", "float", "--save_precision", "fp16"),
    ]
    env = {"PYTHONPATH": str(trainer.checkout), "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""}
    subprocess.run(words, check=True, env=env)
    merge(Weights(checkpoint), Weights(lora), 0.9, ours, FAMILIES[family].modules_of)
    mine, its, before = Weights(ours), Weights(theirs), Weights(checkpoint)
    assert mine.names == its.names
    changed = unlike = numbers = 0
    for name in mine.names:
        if mine.dtype(name) == "F16":
            apart = _steps_apart(mine.read(name).astype(np.float16), its.read(name).astype(np.float16))
            assert apart.max(initial=0) <= 1, name
            if not np.array_equal(mine.read(name), before.read(name)):
                changed, unlike, numbers = changed + 1, unlike + int(apart.sum()), numbers + apart.size
            else:
                assert not apart.any(), name
    print(f"{family}: {unlike} of {numbers} numbers are one step apart ({unlike / numbers:.1e})")
    assert unlike / numbers < 2e-3
    assert changed == {"sd15": 264, "sdxl": 722 + 72 + 32 * 4}[family]


def test_change_is_the_product_at_its_scale(tmp_path: Path) -> None:
    lora = Weights(small_lora(tmp_path / "lora.safetensors"))
    product = lora.read(f"{ATTENTION}.lora_up.weight") @ lora.read(f"{ATTENTION}.lora_down.weight")
    assert np.allclose(change(lora, ATTENTION, 0.5), 0.25 * product)
