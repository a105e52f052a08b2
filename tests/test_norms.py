"""Norms of what modules add, against the norm of the product that is formed by each form's definition."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorarecipe.inspection import inspect
from lorarecipe.inspection.modules import modules_of
from lorarecipe.inspection.numbers import Alphas, not_finite_in, squared_norm
from lorarecipe.inspection.parts import blocks_of, parts_of
from lorarecipe.weights import Weights, change
from tests.loras import Tensors, kohya, numbers, write

MODULE = "lora_unet_mid_block_attentions_0_proj_in"
_SIDE = st.integers(1, 9)


def _norm(path: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> float | None:
    weights = Weights(write(path, tensors, metadata or {}))
    [module], _ = modules_of(weights)
    square = squared_norm(weights, module, Alphas(weights))
    return None if square is None else square**0.5


def _file(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("norms") / "x.safetensors"


@given(_SIDE, _SIDE, _SIDE, st.sampled_from([0, 1, 3]), st.sampled_from([None, 0.5, 8]), st.sampled_from(["2", "4"]))
def test_a_lora(
    tmp_path_factory: pytest.TempPathFactory,
    rank: int,
    rows: int,
    columns: int,
    kernel: int,
    alpha: float | None,
    width: str,
) -> None:
    path = _file(tmp_path_factory)
    tensors = numbers(kohya(MODULE, rank, rows, columns, kernel), f"f{width}")
    if alpha is not None:
        tensors[f"{MODULE}.alpha"] = np.array(alpha, "float32")
    norm = _norm(path, tensors)
    formed = change(Weights(path), MODULE).astype(np.float64)
    assert norm == pytest.approx(np.linalg.norm(formed), rel=1e-4)


@given(_SIDE, _SIDE, _SIDE, st.integers(1, 3))
def test_a_lora_with_a_core(
    tmp_path_factory: pytest.TempPathFactory, rank: int, rows: int, columns: int, kernel: int
) -> None:
    """LyCORIS' Tucker form: three layers, one after the other."""
    shapes = {
        f"{MODULE}.lora_down.weight": (rank, columns, 1, 1),
        f"{MODULE}.lora_mid.weight": (rank, rank, kernel, kernel),
        f"{MODULE}.lora_up.weight": (rows, rank, 1, 1),
    }
    tensors = numbers(shapes, "float64")
    down, mid, up = (tensors[name].astype("f8") for name in shapes)
    formed = np.einsum("oixy,ijkl,jnxy->onkl", up, mid, down) / rank * 2
    tensors[f"{MODULE}.alpha"] = np.array(2, "float32")
    assert _norm(_file(tmp_path_factory), tensors) == pytest.approx(np.linalg.norm(formed), rel=1e-4)


@given(_SIDE, st.integers(1, 600), _SIDE, st.sampled_from(["linear", "convolution", "core"]))
def test_a_loha(tmp_path_factory: pytest.TempPathFactory, rank: int, rows: int, columns: int, kind: str) -> None:
    core = kind == "core"
    width = columns * 9 if kind == "convolution" else columns
    shapes: dict[str, tuple[int, ...]] = {}
    for which in "12":
        shapes[f"{MODULE}.hada_w{which}_a"] = (rank, rows) if core else (rows, rank)
        shapes[f"{MODULE}.hada_w{which}_b"] = (rank, width)
        if core:
            shapes[f"{MODULE}.hada_t{which}"] = (rank, rank, 3, 3)
    tensors = numbers(shapes, "float64")
    at = {name.rpartition(".")[2]: value.astype("f8") for name, value in tensors.items()}
    one, other = (
        np.einsum("ijkl,jr,ip->prkl", at[f"hada_t{n}"], at[f"hada_w{n}_b"], at[f"hada_w{n}_a"])
        if core
        else at[f"hada_w{n}_a"] @ at[f"hada_w{n}_b"]
        for n in "12"
    )
    tensors[f"{MODULE}.alpha"] = np.array(3, "float32")
    assert _norm(_file(tmp_path_factory), tensors) == pytest.approx(np.linalg.norm(one * other) * 3 / rank, rel=1e-4)


@given(_SIDE, _SIDE, _SIDE, st.sampled_from(["whole", "factors", "both", "convolution", "core"]))
def test_a_lokr(tmp_path_factory: pytest.TempPathFactory, rank: int, rows: int, columns: int, kind: str) -> None:
    shapes: dict[str, tuple[int, ...]] = {f"{MODULE}.lokr_w1": (2, 3)}
    if kind == "both":
        shapes = {f"{MODULE}.lokr_w1_a": (2, rank), f"{MODULE}.lokr_w1_b": (rank, 3)}
    if kind == "whole":
        shapes[f"{MODULE}.lokr_w2"] = (rows, columns)
    else:
        ends = (3, 3) if kind == "convolution" else ()
        shapes[f"{MODULE}.lokr_w2_a"] = (rank, rows) if kind == "core" else (rows, rank)
        shapes[f"{MODULE}.lokr_w2_b"] = (rank, columns, *ends)
    if kind == "core":
        shapes[f"{MODULE}.lokr_t2"] = (rank, rank, 3, 3)
    tensors = numbers(shapes, "float64")
    at = {name.rpartition(".")[2]: value.astype("f8") for name, value in tensors.items()}
    first = at["lokr_w1"] if "lokr_w1" in at else at["lokr_w1_a"] @ at["lokr_w1_b"]
    if kind == "whole":
        second = at["lokr_w2"]
    elif kind == "core":
        second = np.einsum("ijkl,ip,jr->prkl", at["lokr_t2"], at["lokr_w2_a"], at["lokr_w2_b"]).reshape(rows, -1)
    else:
        second = at["lokr_w2_a"] @ at["lokr_w2_b"].reshape(rank, -1)
    tensors[f"{MODULE}.alpha"] = np.array(3, "float32")
    # of two whole matrices, LyCORIS takes no notice of alpha
    scale = 1 if kind == "whole" else 3 / rank
    norm = _norm(_file(tmp_path_factory), tensors)
    assert norm == pytest.approx(np.linalg.norm(np.kron(first, second)) * scale, rel=1e-4)


def test_a_difference_is_its_own_norm(tmp_path: Path) -> None:
    tensors = numbers({f"{MODULE}.diff": (8, 6), f"{MODULE}.diff_b": (8,)})
    expected = np.sqrt(sum(np.sum(value.astype("f8") ** 2) for value in tensors.values()))
    assert _norm(tmp_path / "x.safetensors", tensors) == pytest.approx(expected)


@pytest.mark.parametrize(
    "more",
    [
        {"dora_scale": (8, 1)},
        {"lora_up.weight": (8, 5)},
        {"lora_up.weight": (8, 4, 3, 3)},
    ],
    ids=["depends on the weight", "factors that do not fit", "larger kernel in up"],
)
def test_what_is_not_computed(tmp_path: Path, more: dict[str, tuple[int, ...]]) -> None:
    shapes = {**kohya(MODULE), **{f"{MODULE}.{name}": shape for name, shape in more.items()}}
    assert _norm(tmp_path / "x.safetensors", numbers(shapes)) is None


@pytest.mark.parametrize("name", ["oft_blocks", "on_input", "lokr_w1", "hada_w1_a", "lora_down.weight"])
def test_a_form_that_is_not_whole_is_not_computed(tmp_path: Path, name: str) -> None:
    assert _norm(tmp_path / "x.safetensors", numbers({f"{MODULE}.{name}": (4, 4)})) is None


_SHAPE = st.lists(st.integers(0, 3), max_size=5).map(tuple)
_ROLES = st.sampled_from(
    [
        *("lora_down.weight", "lora_up.weight", "lora_mid.weight", "alpha", "dora_scale", "hada_w1_a", "hada_w1_b"),
        *("hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2", "lokr_w1", "lokr_w2_a", "lokr_w2_b", "lokr_t2", "diff"),
        *("oft_blocks", "on_input", "weight", "a1.weight", "w_norm", "lora_A.weight", "lora_magnitude_vector"),
    ]
)
_DTYPE = st.sampled_from(["float16", "float64", "int8", "uint64", "bool"])


@given(st.dictionaries(_ROLES, st.tuples(_SHAPE, _DTYPE), min_size=1), st.sampled_from([0, 1, 1e5, np.inf, np.nan]))
def test_tensors_of_any_shape_are_looked_at(
    tmp_path_factory: pytest.TempPathFactory, roles: dict[str, tuple[tuple[int, ...], str]], value: float
) -> None:
    """Nothing is known of a stranger's file but that it is whole."""
    with np.errstate(all="ignore"):
        tensors = {f"{MODULE}.{name}": np.full(shape, value).astype(dtype) for name, (shape, dtype) in roles.items()}
    found = inspect(write(_file(tmp_path_factory), tensors))
    assert sum(part.tensors for part in found.parts) == len(tensors)
    json.dumps(asdict(found), default=str, allow_nan=False)


def test_an_alpha_that_is_too_large(tmp_path: Path) -> None:
    tensors = numbers(kohya(MODULE)) | {f"{MODULE}.alpha": np.array(1e30, "float32")}
    assert inspect(write(tmp_path / "x.safetensors", tensors)).blocks[0].is_finite
    config = {"lora_adapter_metadata": '{"lora_alpha": 1' + "0" * 200 + "}"}
    tensors = _of_diffusers("unet")
    assert not inspect(write(tmp_path / "x.safetensors", tensors, config)).blocks[0].is_finite
    config = {"lora_adapter_metadata": '{"lora_alpha": 1' + "0" * 400 + "}"}
    assert inspect(write(tmp_path / "x.safetensors", tensors, config)).parts[0].alphas == {"none": 1}


def _of_diffusers(part: str) -> Tensors:
    module = f"{part}.mid_block.attentions.0.to_q"
    return numbers({f"{module}.lora_A.weight": (4, 6), f"{module}.lora_B.weight": (8, 4)})


@pytest.mark.parametrize(
    ("config", "alpha", "scale"),
    [
        ({}, "none", 1),
        ({"unet.lora_alpha": 8, "unet.r": 4}, "8", 2),
        ({"unet.lora_alpha": 8, "unet.use_rslora": True}, "8", 4),
        ({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attentions.0.to_q": 2}}, "2", 0.5),
        ({"lora_alpha": 12}, "12", 3),
        ({"text_encoder.lora_alpha": 12}, "none", 1),
    ],
)
def test_alpha_of_diffusers(tmp_path: Path, config: dict[str, object], alpha: str, scale: float) -> None:
    path, tensors = tmp_path / "x.safetensors", _of_diffusers("unet")
    down, up = (value.astype("f8") for value in tensors.values())
    norm = _norm(path, tensors, {"lora_adapter_metadata": json.dumps(config)})
    assert norm == pytest.approx(np.linalg.norm(up @ down) * scale)
    weights = Weights(path)
    assert parts_of(weights, modules_of(weights)[0], ())[0].alphas == {alpha: 1}


def test_alpha_of_peft_stands_beside_the_file(tmp_path: Path) -> None:
    tensors = _of_diffusers("base_model.model")
    (tmp_path / "adapter_config.json").write_text('{"lora_alpha": 6, "r": 4}')
    down, up = (value.astype("f8") for value in tensors.values())
    assert _norm(tmp_path / "adapter_model.safetensors", tensors) == pytest.approx(np.linalg.norm(up @ down) * 1.5)
    assert _norm(tmp_path / "another.safetensors", tensors) == pytest.approx(np.linalg.norm(up @ down))


def test_blocks_in_the_order_of_the_model(tmp_path: Path) -> None:
    sdxl = (
        "input_blocks_4_1_a",
        "input_blocks_8_1_a",
        "middle_block_1_a",
        "output_blocks_0_1_a",
        "output_blocks_5_1_a",
    )
    sd1 = ("up_blocks_3_a", "down_blocks_0_a", "mid_block_a", "conv_in")
    modules = [*(f"lora_unet_{name}" for name in (*sdxl, *sd1)), "lora_te_text_model_a"]
    shapes = {name: shape for module in modules for name, shape in kohya(module).items()}
    tensors = numbers(shapes)
    weights = Weights(write(tmp_path / "x.safetensors", tensors))
    blocks = blocks_of(weights, modules_of(weights)[0])
    assert {block.name: block.modules for block in blocks} == {
        "down 0": 1,
        "down 1": 1,
        "down 2": 1,
        "mid": 2,
        "up 0": 1,
        "up 1": 1,
        "up 3": 1,
        "U-Net, others": 1,
        "text encoder": 1,
    }
    assert [block.name for block in blocks][-2:] == ["U-Net, others", "text encoder"]
    mid = [change(weights, f"lora_unet_{name}") for name in ("middle_block_1_a", "mid_block_a")]
    assert blocks[3].norm == pytest.approx(np.linalg.norm(mid), rel=1e-5)


def test_what_is_not_finite_is_counted_and_named(tmp_path: Path) -> None:
    tensors = numbers(kohya(MODULE) | kohya("lora_te_text_model_a"), "float16")
    tensors[f"{MODULE}.lora_up.weight"][2, :3] = (np.nan, np.inf, -np.inf)
    weights = Weights(write(tmp_path / "x.safetensors", tensors))
    [bad], unread = not_finite_in(weights)
    assert (bad.tensor, bad.count, unread) == (f"{MODULE}.lora_up.weight", 3, ())
    blocks = {block.name: (block.norm is None, block.is_finite) for block in blocks_of(weights, modules_of(weights)[0])}
    assert blocks == {"mid": (True, False), "text encoder": (False, True)}


def test_infinity_in_any_row_of_a_large_tensor(tmp_path: Path) -> None:
    values = np.zeros((5000, 4000), "float16")
    values[4321, 7] = np.inf
    weights = Weights(write(tmp_path / "x.safetensors", {"a": values, "empty": np.zeros((0, 3), "float32")}))
    [bad], _ = not_finite_in(weights)
    assert (bad.tensor, bad.count) == ("a", 1)


def test_ranks_and_alphas_that_differ_are_counted(tmp_path: Path) -> None:
    tensors = numbers(kohya(MODULE, 8) | kohya("lora_unet_a", 8) | kohya("lora_unet_b", 16))
    for module, alpha in ((MODULE, 4), ("lora_unet_b", 0.5)):
        tensors[f"{module}.alpha"] = np.array([alpha], "float32")
    weights = Weights(write(tmp_path / "x.safetensors", tensors))
    [part] = parts_of(weights, modules_of(weights)[0], ())
    assert (part.name, part.modules, part.tensors) == ("U-Net", 3, 8)
    assert (part.ranks, part.alphas, part.dtypes) == ({"8": 2, "16": 1}, {"0.5": 1, "4": 1, "none": 1}, {"F32": 8})
