"""A file whose weight 1.0 is another's weight: what it adds, what it says, and what is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lorarecipe.errors import CheckFailed
from lorarecipe.files import file_digest, write_atomic
from lorarecipe.records import Advice, Leak, record_text
from lorarecipe.run import LEAK, bake, baked_in
from lorarecipe.weights import SafetensorsError, Weights, scale_lora


def _lora(path: Path, alpha: float = 4.0, dtype: torch.dtype = torch.float16) -> Path:
    """Write a LoRA of two modules, as lorarecipe delivers it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dice = torch.Generator().manual_seed(1)
    tensors = {}
    for module in ("lora_unet_b", "lora_unet_a"):
        tensors[f"{module}.lora_down.weight"] = torch.randn(4, 6, generator=dice).to(dtype)
        tensors[f"{module}.lora_up.weight"] = torch.randn(5, 4, generator=dice).to(dtype)
        tensors[f"{module}.alpha"] = torch.tensor(alpha, dtype=dtype)
    save_file(tensors, path, metadata={"lorarecipe.key": "k", "ss_output_name": path.stem})
    return path


def _added(path: Path, weight: float) -> torch.Tensor:
    state = {name: part.double() for name, part in load_file(path).items()}
    scale = weight * state["lora_unet_a.alpha"] / 4
    return scale * (state["lora_unet_a.lora_up.weight"] @ state["lora_unet_a.lora_down.weight"])


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.01, 4), st.sampled_from([1.0, 4.0, 0.75, 128.0]), st.sampled_from(["float16", "bfloat16", "float32"])
)
def test_it_adds_at_1_what_the_other_adds_at_its_weight(
    tmp_path_factory: pytest.TempPathFactory, weight: float, alpha: float, dtype: str
) -> None:
    folder = tmp_path_factory.mktemp("scaled")
    source = _lora(folder / "a.safetensors", alpha, getattr(torch, dtype))
    scale_lora(source, folder / "b.safetensors", weight, {"told": "x"})
    assert torch.allclose(_added(folder / "b.safetensors", 1.0), _added(source, weight), rtol=1e-6, atol=0)
    before, after = load_file(source), load_file(folder / "b.safetensors")
    assert {n for n in before if not torch.equal(before[n], after[n].to(before[n]))} <= {
        n for n in before if "alpha" in n
    }
    assert Weights(folder / "b.safetensors").metadata == Weights(source).metadata | {"told": "x"}
    scale_lora(folder / "b.safetensors", folder / "back.safetensors", 1 / weight, {})  # reversible
    assert torch.allclose(_added(folder / "back.safetensors", 1.0), _added(source, 1.0), rtol=1e-6, atol=0)


def test_what_is_no_lora(tmp_path: Path) -> None:
    save_file({"x": torch.ones(1)}, tmp_path / "x.safetensors")
    with pytest.raises(SafetensorsError, match="found no LoRA modules, expected a LoRA in kohya's format"):
        scale_lora(tmp_path / "x.safetensors", tmp_path / "y.safetensors", 1.5, {})
    save_file({"m.lora_down.weight": torch.ones(1), "m.lora_up.weight": torch.ones(1)}, tmp_path / "x.safetensors")
    with pytest.raises(SafetensorsError, match="found m without alpha"):
        scale_lora(tmp_path / "x.safetensors", tmp_path / "y.safetensors", 1.5, {})
    assert not (tmp_path / "y.safetensors").exists()


def _advise(folder: Path, advice: Advice | None) -> None:
    write_atomic(folder / LEAK, record_text(Leak(("k",), advice, (), ())))


def test_what_is_advised(tmp_path: Path) -> None:
    folder = tmp_path / "aoi"
    last, epoch = _lora(folder / "aoi.safetensors"), _lora(folder / "aoi-000002.safetensors", 2.0)
    _advise(folder, Advice(2, 1.25, "why"))
    baked = bake(folder)
    assert (baked.path.name, baked.source, baked.weight) == ("aoi-baked.safetensors", epoch, 1.25)
    with safe_open(baked.path, "numpy") as opened:
        assert opened.get_tensor("lora_unet_a.alpha") == np.float32(2.5)
        told = opened.metadata()
    assert told["lorarecipe.baked_weight"] == "1.25"
    assert told["lorarecipe.baked_from"] == file_digest(epoch)
    assert told["ss_output_name"] == "aoi-baked"
    assert bake(folder, weight=0.5).source == last  # in place of what was baked before
    target = _lora(folder / "aoi-target.safetensors")
    _advise(folder, Advice(None, 1.5, "why", "target"))
    assert bake(folder).source == target
    _advise(folder, Advice(None, 1.5, "why", "refined"))
    assert bake(folder).source == last


def test_what_other_programs_know_a_file_by(tmp_path: Path) -> None:
    """A hash of its own, none that cannot be told of it, and its own alpha."""
    source = _lora(tmp_path / "aoi" / "aoi.safetensors")
    hashes = {"sshs_model_hash": "h", "sshs_legacy_hash": "h", "ss_network_alpha": "4"}
    save_file(load_file(source), source, metadata=Weights(source).metadata | hashes)
    path = bake(source.parent, weight=1.5).path
    told, content = Weights(path).metadata, path.read_bytes()
    tensors = content[8 + int.from_bytes(content[:8], "little") :]
    assert told["sshs_model_hash"] == hashlib.sha256(tensors).hexdigest()
    assert "sshs_legacy_hash" not in told
    assert told["ss_network_alpha"] == "6.0"


def test_what_was_baked_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "aoi"
    source = _lora(folder / "aoi.safetensors")
    sources = {file_digest(source): source}
    assert baked_in(folder, sources) is None
    baked = bake(folder, weight=1.5)
    assert baked_in(folder, sources) == baked
    assert baked_in(folder, {"0" * 64: source}) is None
    for metadata in ({"lorarecipe.baked_weight": "much"}, {}):
        save_file(load_file(source), baked.path, metadata={"lorarecipe.baked_from": file_digest(source), **metadata})
        assert baked_in(folder, sources) is None
    baked.path.write_bytes(b"torn")
    assert baked_in(folder, sources) is None


def test_a_later_run_may_have_written_the_file(tmp_path: Path) -> None:
    source = _lora(tmp_path / "aoi" / "aoi.safetensors")
    assert bake(source.parent, 1.5, digests={file_digest(source)}).source == source
    with pytest.raises(CheckFailed, match="a later run has written this file"):
        bake(source.parent, 1.5, digests={"0" * 64})


def test_what_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "aoi"
    _lora(folder / "aoi.safetensors")
    with pytest.raises(
        CheckFailed, match=r"leak\.json: found no advice, which a leak test gives and a rehearsal does not"
    ):
        bake(folder)
    _advise(folder, Advice(None, 1.25, "why"))
    with pytest.raises(CheckFailed, match="found --epoch 3, and the advice is for another"):
        bake(folder, epoch=3)
    with pytest.raises(CheckFailed, match=r"aoi-000003\.safetensors: this LoRA is not there; .* has: aoi\.safetensors"):
        bake(folder, weight=1.0, epoch=3)
    (folder / "aoi-baked.safetensors").write_text("mine")
    with pytest.raises(CheckFailed, match=r"aoi-baked\.safetensors is not lorarecipe's"):
        bake(folder, weight=1.0)
    assert (folder / "aoi-baked.safetensors").read_text() == "mine"
