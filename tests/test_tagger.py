from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from lorarecipe.errors import MachineNotReady
from lorarecipe.measures.ccip import Ccip
from lorarecipe.measures.tagger import Tagger


def _model(folder: Path, tags: int = 3) -> None:
    """Score each tag by the mean of a channel, blue first: as the WD taggers, but for what they know."""
    sides: dict[str, list[str | int | None]] = {"pixels": ["N", 8, 8, 3], "scores": ["N", tags]}
    told = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in sides.items()}
    weights = numpy_helper.from_array((np.eye(3, tags) / 255).astype(np.float32), "weights")
    axes = numpy_helper.from_array(np.array([1, 2]), "axes")
    nodes = [
        helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["scores"]),
    ]
    graph = helper.make_graph(nodes, "tagger", [told["pixels"]], [told["scores"]], [weights, axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, folder / "model.onnx")
    (folder / "selected_tags.csv").write_text("tag_id,name,category,count\n1,3d,0,9\n2,1girl,0,9\n3,realistic,0,9\n")


def test_scores(tmp_path: Path) -> None:
    _model(tmp_path)
    Image.new("RGB", (8, 8), (51, 102, 204)).save(tmp_path / "a.png")
    assert Tagger(tmp_path).scores(tmp_path / "a.png") == {"3d": 0.8, "realistic": 0.2}
    Image.new("RGB", (8, 4), (0, 0, 0)).save(tmp_path / "wide.png")  # white above and below
    assert Tagger(tmp_path).scores(tmp_path / "wide.png")["3d"] == pytest.approx(0.5, abs=0.05)


def test_what_is_no_tagger(tmp_path: Path) -> None:
    with pytest.raises(MachineNotReady, match=r"no tagger of booru tags .*selected_tags\.csv"):
        Tagger(tmp_path)
    _model(tmp_path, tags=2)
    with pytest.raises(MachineNotReady, match="2 scores for 3 tags"):
        Tagger(tmp_path)


def test_a_list_of_tags_that_was_saved_again(tmp_path: Path) -> None:
    """By a spreadsheet, which marks UTF-8, or writes something else."""
    _model(tmp_path)
    Image.new("RGB", (8, 8), (51, 102, 204)).save(tmp_path / "a.png")
    table = tmp_path / "selected_tags.csv"
    text = "name,count\n3d,9\n1girl,9\nrealistic,9\n"
    table.write_text(text, encoding="utf-8-sig")
    assert Tagger(tmp_path).scores(tmp_path / "a.png") == {"3d": 0.8, "realistic": 0.2}
    table.write_text(text, encoding="utf-16")
    with pytest.raises(MachineNotReady, match=r"selected_tags\.csv: not UTF-8; save the file as UTF-8"):
        Tagger(tmp_path)


def _ccip(folder: Path) -> None:
    """A picture's feature is the mean of its channels; the difference of two is that of their sums."""
    sides: dict[str, list[str | int | None]] = {"input": ["N", 3, 384, 384], "output": ["N", 3]}
    told = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in sides.items()}
    axes = numpy_helper.from_array(np.array([2, 3]), "axes")
    nodes = [helper.make_node("ReduceMean", ["input", "axes"], ["output"], keepdims=0)]
    features = helper.make_graph(nodes, "features", [told["input"]], [told["output"]], [axes])
    sides = {"input": ["N", 3], "output": ["N", "N"]}
    told = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in sides.items()}
    axes = numpy_helper.from_array(np.array([1]), "axes")
    nodes = [
        helper.make_node("ReduceSum", ["input", "axes"], ["column"], keepdims=1),
        helper.make_node("Transpose", ["column"], ["row"]),
        helper.make_node("Sub", ["column", "row"], ["apart"]),
        helper.make_node("Abs", ["apart"], ["output"]),
    ]
    metrics = helper.make_graph(nodes, "metrics", [told["input"]], [told["output"]], [axes])
    for name, graph in (("model_feat.onnx", features), ("model_metrics.onnx", metrics)):
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        onnx.save(model, folder / name)


def test_ccip(tmp_path: Path) -> None:
    _ccip(tmp_path)
    for name, level in (("a", 0), ("b", 255), ("c", 0)):
        Image.new("RGB", (64, 96), (level,) * 3).save(tmp_path / f"{name}.png")
    ccip = Ccip(tmp_path, [tmp_path / "a.png", tmp_path / "b.png"])
    spread = sum(1 / one for one in (0.26862954, 0.26130258, 0.27577711))
    assert ccip.difference(tmp_path / "c.png") == pytest.approx(spread / 2, abs=1e-3)
    with pytest.raises(MachineNotReady, match="no model of CCIP"):
        Ccip(tmp_path / "nowhere", [])
