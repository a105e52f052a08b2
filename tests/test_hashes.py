"""Hashes of files, against computations from the whole of their bytes."""

from __future__ import annotations

import hashlib
import json
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save, save_file

from lorarecipe.inspection.hashes import claims_of, hashes_of
from lorarecipe.weights import Weights, header_bytes, rewrite_metadata

_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64, torch.bool)


def _as_the_trainer(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> tuple[str, str]:
    """Hash as sd-scripts does before it saves: a copy in memory, with the trainer's own metadata alone."""
    copy = save(tensors, {name: value for name, value in metadata.items() if name.startswith("ss_")})
    tail = copy[8 + int.from_bytes(copy[:8], "little") :]
    return hashlib.sha256(tail).hexdigest(), hashlib.sha256(copy[0x100000:0x110000]).hexdigest()[:8]


@given(
    st.dictionaries(_TEXTS, st.tuples(st.sampled_from(_DTYPES), st.integers(0, 60_000)), min_size=1, max_size=8),
    st.dictionaries(st.tuples(st.sampled_from(["ss_", "modelspec.", ""]), _TEXTS).map("".join), _TEXTS, max_size=6),
)
def test_every_hash(
    tmp_path_factory: pytest.TempPathFactory, kinds: dict[str, tuple[torch.dtype, int]], metadata: dict[str, str]
) -> None:
    path = tmp_path_factory.mktemp("hashes") / "x.safetensors"
    dice = torch.Generator().manual_seed(1)
    tensors = {
        name: (torch.randn(size * 10, generator=dice) * 9).to(dtype)
        for name, (dtype, size) in kinds.items()
        if name != "__metadata__"
    }
    model_hash, legacy = _as_the_trainer(tensors, metadata)
    save_file(tensors, path, metadata | {"sshs_model_hash": model_hash, "sshs_legacy_hash": legacy})
    content = path.read_bytes()
    tail = content[8 + int.from_bytes(content[:8], "little") :]
    weights = Weights(path)
    hashes = hashes_of(weights)
    assert hashes.sha256 == hashlib.sha256(content).hexdigest()
    assert hashes.autov1 == hashlib.sha256(content[0x100000:0x110000]).hexdigest()[:8]
    assert hashes.autov2 == hashlib.sha256(content).hexdigest()[:10]
    assert hashes.autov3 == hashlib.sha256(tail).hexdigest()[:12]
    assert hashes.crc32 == f"{zlib.crc32(content):08X}"
    assert hashes.git_blob == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    assert (hashes.sshs_model_hash, hashes.sshs_legacy_hash) == (model_hash, legacy)
    assert hashes.a1111 == model_hash[:12]
    assert [claim.is_true for claim in claims_of(weights, hashes)] == [True, True]


def test_blake3_is_that_of_its_authors(tmp_path: Path) -> None:
    """The library against the test vector of the BLAKE3 repository, so that no other hash stands in its place."""
    from blake3 import blake3

    assert blake3(bytes([0, 1, 2])).hexdigest() == "e1be4d7a8ab5560aa4199eea339849ba8e293d55ca0a81006726d184519e647f"
    save_file({"a": torch.ones(400_000)}, tmp_path / "x.safetensors")
    hashes = hashes_of(Weights(tmp_path / "x.safetensors"))
    assert hashes.blake3 == blake3((tmp_path / "x.safetensors").read_bytes()).hexdigest()


def test_git_gives_the_same_name(tmp_path: Path) -> None:
    save_file({"a": torch.ones(10)}, tmp_path / "x.safetensors")
    told = subprocess.run(
        ["git", "hash-object", "x.safetensors"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert hashes_of(Weights(tmp_path / "x.safetensors")).git_blob == told.stdout.strip()


def test_tensors_in_another_order_are_hashed_as_the_library_writes_them(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    b, a = np.arange(300_000, dtype="<f4"), np.arange(5, dtype="<f4")
    header = {
        "b": {"dtype": "F32", "shape": [len(b)], "data_offsets": [0, b.nbytes]},
        "a": {"dtype": "F32", "shape": [len(a)], "data_offsets": [b.nbytes, b.nbytes + a.nbytes]},
    }
    path.write_bytes(header_bytes(header) + b.tobytes() + a.tobytes())
    expected = _as_the_trainer({"a": torch.from_numpy(a), "b": torch.from_numpy(b)}, {})
    hashes = hashes_of(Weights(path))
    assert (hashes.sshs_model_hash, hashes.sshs_legacy_hash) == expected
    assert hashes.tensors_sha256 == hashlib.sha256(b.tobytes() + a.tobytes()).hexdigest() != expected[0]


def test_what_is_stated_and_not_true(tmp_path: Path) -> None:
    source, path = tmp_path / "a.safetensors", tmp_path / "x.safetensors"
    save_file({"a": torch.ones(400_000)}, source)
    tensors = hashes_of(Weights(source)).tensors_sha256
    rewrite_metadata(source, path, {"sshs_model_hash": "0" * 64, "modelspec.hash_sha256": f"0x{tensors.upper()}"})
    weights = Weights(path)
    hashes = hashes_of(weights)
    assert {claim.name: claim.is_true for claim in claims_of(weights, hashes)} == {
        "sshs_model_hash": False,
        "modelspec.hash_sha256": True,
    }
    assert hashes.a1111 == "0" * 12  # A1111 believes it


def test_a_change_of_the_metadata_alters_no_hash_of_the_tensors(tmp_path: Path) -> None:
    one, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({"a": torch.ones(400_000)}, one, {"ss_output_name": "aoi"})
    rewrite_metadata(one, other, {"modelspec.title": "Aoi", "lorarecipe.key": "1"})
    before, after = hashes_of(Weights(one)), hashes_of(Weights(other))
    assert before.sha256 != after.sha256
    for name in ("autov3", "tensors_sha256", "sshs_model_hash", "sshs_legacy_hash", "a1111"):
        assert getattr(before, name) == getattr(after, name), name


@pytest.mark.parametrize(("texts", "is_known"), [(1, True), (2, False)])
def test_metadata_that_reaches_into_the_window(tmp_path: Path, texts: int, is_known: bool) -> None:
    """The library writes several entries in an order of its own each time, so the hash cannot be computed again."""
    path = tmp_path / "x.safetensors"
    metadata = {f"ss_{at}": json.dumps("long " * 220_000) for at in range(texts)}
    tensors = {"a": torch.ones(9)}
    save_file(tensors, path, {**metadata, "sshs_legacy_hash": "f" * 8})
    weights = Weights(path)
    hashes = hashes_of(weights)
    assert (hashes.sshs_legacy_hash is not None) == is_known
    assert claims_of(weights, hashes)[0].is_true == (False if is_known else None)
    if is_known:
        assert hashes.sshs_legacy_hash == _as_the_trainer(tensors, metadata)[1]
