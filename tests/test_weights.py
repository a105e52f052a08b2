from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from lorarecipe.weights import SafetensorsError, Weights, lora_modules, rewrite_metadata


def _write(path: Path) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    values = {"a": np.arange(6, dtype="float32").reshape(2, 3), "b.lora_down.weight": np.ones(4, dtype="float32")}
    save_file(values, path, {"ss_output_name": "lora"})
    return values


def test_numbers_names_and_metadata(tmp_path: Path) -> None:
    values = _write(tmp_path / "x.safetensors")
    weights = Weights(tmp_path / "x.safetensors")
    assert weights.names == set(values)
    assert weights.shapes["a"] == (2, 3)
    assert weights.metadata == {"ss_output_name": "lora"}
    np.testing.assert_array_equal(weights.read("a"), values["a"])
    assert lora_modules(weights.names) == {"b"}


@given(st.slices(7), st.sampled_from(["float64", "float32", "float16"]))
def test_rows_alone_are_those_of_the_whole(tmp_path_factory: pytest.TempPathFactory, rows: slice, dtype: str) -> None:
    path, rows = tmp_path_factory.mktemp("rows") / "x.safetensors", slice(rows.start, rows.stop)
    save_file({"a": np.ones(3), "b": np.arange(42).reshape(7, 3, 2).astype(dtype)}, path)
    weights = Weights(path)
    np.testing.assert_array_equal(weights.read("b", rows), weights.read("b")[rows])


def test_bfloat16_is_widened_exactly(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    values = np.array([1.0, -2.5, 3.140625], dtype="float32")
    header = json.dumps({"a": {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}}).encode()
    halves = (values.view(np.uint32) >> 16).astype(np.uint16)
    path.write_bytes(len(header).to_bytes(8, "little") + header + halves.tobytes())
    weights = Weights(path)
    np.testing.assert_array_equal(weights.read("a"), values)


@pytest.mark.parametrize("cut", [0, 7, 8, 40, -1])
def test_a_torn_file_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "x.safetensors"
    _write(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(SafetensorsError, match="not a whole safetensors file"):
        Weights(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SafetensorsError):
        Weights(tmp_path / "none.safetensors")


def test_integers_are_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": np.ones(2, "int32")}, path)
    with pytest.raises(SafetensorsError, match="expected floats"):
        Weights(path).read("a")


@given(
    st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"]))
    )
)
def test_rewriting_changes_the_metadata_and_no_tensor(
    tmp_path_factory: pytest.TempPathFactory, new: dict[str, str]
) -> None:
    folder = tmp_path_factory.mktemp("rewrite")
    source, target = folder / "a.safetensors", folder / "out" / "b.safetensors"
    values = _write(source)
    rewrite_metadata(source, target, new)
    with safe_open(target, framework="numpy") as opened:
        assert opened.metadata() == {"ss_output_name": "lora", **new}
    for name, value in load_file(target).items():
        np.testing.assert_array_equal(value, values[name])
    assert [entry.name for entry in target.parent.iterdir()] == ["b.safetensors"]
