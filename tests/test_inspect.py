"""``lorarecipe inspect``, as a process: whole output, for people and for programs."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion

from tests.conftest import tiny_checkpoint
from tests.loras import Tensors, kohya, numbers, write
from tests.test_cli import _call, _tree
from tests.test_import import METADATA
from tests.test_stated import picture

_ATTENTION = "transformer_blocks_0_attn2_to_k"
#: what a file of another training has besides
_MORE = {
    "modelspec.title": "Aoi",
    "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
    "modelspec.hash_sha256": "0x" + "0" * 64,
    "modelspec.thumbnail": picture(),
    "lorarecipe.base": "1f" * 32,
    "ss_sd_scripts_commit_hash": "48d368fa55c7",
    "ss_steps": "1000",
    "ss_epoch": "10",
    "ss_tag_frequency": json.dumps({"5_aoi": {"1girl": 20, "white background": 18, "smile": 3}}),
    "ss_bucket_info": json.dumps({"buckets": {"0": {"resolution": [512, 768], "count": 100}}}),
}


def _lora() -> Tensors:
    """A LoRA of both parts, of several ranks, with a convolution and a number that is none."""
    tensors = numbers(
        kohya(f"lora_unet_down_blocks_0_attentions_0_{_ATTENTION}")
        | kohya("lora_unet_mid_block_resnets_0_conv1", 2, 8, 8, 3)
        | kohya(f"lora_unet_up_blocks_1_attentions_0_{_ATTENTION}")
        | kohya("lora_te_text_model_encoder_layers_0_mlp_fc1", columns=768),
        "float16",
    )
    for module in sorted({name.split(".")[0] for name in tensors}):
        tensors[f"{module}.alpha"] = np.array(2, "float16")
    tensors[f"lora_unet_up_blocks_1_attentions_0_{_ATTENTION}.lora_up.weight"][3, 0] = np.nan
    return tensors


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder with a LoRA."""
    folder = tmp_path / "mine"
    folder.mkdir()
    write(folder / "aoi.safetensors", _lora(), METADATA | _MORE)
    return folder


def test_a_file(mine: Path, snapshot: SnapshotAssertion) -> None:
    before = _tree(mine)
    assert _call(mine, "inspect", "aoi.safetensors") == snapshot
    assert _tree(mine) == before


def test_a_file_without_metadata(mine: Path, snapshot: SnapshotAssertion) -> None:
    tensors = _lora()
    write(mine / "bare.safetensors", {name: np.array(np.nan_to_num(value)) for name, value in tensors.items()})
    assert _call(mine, "inspect", "bare.safetensors") == snapshot


def test_a_folder(mine: Path, snapshot: SnapshotAssertion) -> None:
    (mine / "inner").mkdir()
    (mine / ".cache").mkdir()
    write(mine / ".cache" / "hidden.safetensors", _lora())
    tiny_checkpoint(mine / "inner" / "checkpoint.safetensors")
    write(mine / "inner" / "embedding.SafeTensors", numbers({"emb_params": (2, 768)}))
    write(mine / "two words.safetensors", numbers({"lora_unet_a.hada_w1_a": (8, 2), "lora_unet_a.hada_w1_b": (2, 8)}))
    assert _call(mine, "inspect", ".") == snapshot


def test_a_file_for_programs(mine: Path) -> None:
    code, out, err = _call(mine, "inspect", "aoi.safetensors", "--json")
    assert (code, err) == (0, "")
    facts = json.loads(out)
    [file] = facts["files"]
    assert facts["schema_version"] == 1
    assert file["family"] == {"name": "sd15", "by_tensors": "sd15", "by_metadata": "sd2"}
    assert file["flavour"] == {"kind": "lora", "title": "LoCon (kohya)", "forms": {"LoCon": 1, "LoRA": 3}, "dora": 0}
    assert [part["ranks"] for part in file["parts"]] == [{"2": 1, "4": 2}, {"4": 1}]
    assert [block["norm"] is None for block in file["blocks"]] == [False, False, True, False]
    assert file["not_finite"] == [
        {"tensor": f"lora_unet_up_blocks_1_attentions_0_{_ATTENTION}.lora_up.weight", "count": 1}
    ]
    assert file["hashes"]["sha256"] == hashlib.sha256((mine / "aoi.safetensors").read_bytes()).hexdigest()
    assert [claim["is_true"] for claim in file["claims"]] == [False]
    assert file["training"]["settings"]["unet_lr"] == 1e-4
    assert file["training"]["thumbnail"]["width"] == 64
    assert file["metadata"]["ss_lr_scheduler"] == "cosine"


def test_odd_metadata_is_json_too(mine: Path) -> None:
    odd = {"ss_network_dim": "4", "ss_a": "[{(1, 2): 1e999}]", "ss_network_args": '{"a": NaN}', "ss_b": "[b'x', 1j]"}
    write(mine / "aoi.safetensors", _lora(), odd | {"ss_tag_frequency": '{"a": {"\\ud800": 1}}'})
    code, out, err = _call(mine, "inspect", "aoi.safetensors", "--json")
    assert (code, err) == (0, "")
    [file] = json.loads(out, parse_constant=pytest.fail)["files"]
    assert file["training"]["other_settings"]["ss_a"] == "[{(1, 2): 1e999}]"
    assert file["training"]["network"]["arguments"] == {"a": "nan"}
    assert file["training"]["tags"] == [["\ud800", 1]]


def test_names_and_metadata_forge_no_lines(mine: Path) -> None:
    write(mine / "a\nb.safetensors", _lora(), {"ss_output_name": "x\n\x1b[31mnot finite      none"})
    code, out, _ = _call(mine, "inspect", "a\nb.safetensors")
    assert code == 0
    assert "\x1b" not in out
    assert out.count("\nnot finite ") == 1


def test_what_is_bad_in_a_folder_is_said_at_once(mine: Path, snapshot: SnapshotAssertion) -> None:
    (mine / "torn.safetensors").write_bytes((mine / "aoi.safetensors").read_bytes()[:-1])
    (mine / "pickle.safetensors").write_bytes(pickle.dumps({"a": 1}))
    (mine / "empty.safetensors").write_bytes(b"")
    assert _call(mine, "inspect", str(mine)) == snapshot
    code, out, err = _call(mine, "inspect", str(mine), "--json")
    facts = json.loads(out)
    assert (code, len(facts["files"]), len(facts["problems"])) == (5, 1, 3)
    assert err.splitlines() == facts["problems"]


@pytest.mark.parametrize("name", ["none.safetensors", "folder", "text.txt", "pickle.ckpt", "pipe.safetensors"])
def test_what_is_no_file_of_tensors(mine: Path, name: str, snapshot: SnapshotAssertion) -> None:
    (mine / "folder").mkdir()
    (mine / "text.txt").write_text("hello")
    (mine / "pickle.ckpt").write_bytes(pickle.dumps({"a": 1}))
    os.mkfifo(mine / "pipe.safetensors")
    assert _call(mine, "inspect", name) == snapshot
