"""The operator list of TensorRT 10.3, and that it refuses what is not in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engines.fp16.fp16_range import secure
from tests.engines.fp16.test_fp16_range import calls, overflowing
from tests.engines.tensorrt_operators import operators, violations


def model(node: onnx.NodeProto, kind: int = TensorProto.FLOAT, made: int | None = None, opset: int = 18,
          inputs: tuple[str, ...] = ("x",), constants: tuple[onnx.TensorProto, ...] = ()) -> onnx.ModelProto:
    given = [helper.make_tensor_value_info(name, kind, [3, 3]) for name in inputs]
    graph = helper.make_graph([node], "g", given, [helper.make_tensor_value_info("y", made or kind, None)], list(constants))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def test_the_list_is_that_of_the_parser() -> None:
    listed = operators()
    assert len(listed) > 120 and listed["MatMul"] == ["FP32", "FP16", "BF16"] and listed["And"] == ["BOOL"]
    assert not {"RMSNormalization", "RotaryEmbedding", "TensorScatter", "Attention", "BitwiseAnd", "DFT"} & listed.keys()


@pytest.mark.parametrize(("built", "words"), [
    (model(helper.make_node("Det", ["x"], ["y"])), "ai.onnx.Det is not in the list"),
    (model(helper.make_node("Clip", ["x"], ["y"]), TensorProto.INT64), "Clip takes FP32, FP16, BF16, not INT64"),
    (model(helper.make_node("Not", ["x"], ["y"]), TensorProto.BOOL), ""),
    (model(helper.make_node("Cast", ["x"], ["y"], to=TensorProto.DOUBLE), made=TensorProto.DOUBLE), "type DOUBLE"),
    (model(helper.make_node("Relu", ["x"], ["y"]), opset=21), "operator set ai.onnx 21 is outside 9 to 20"),
    (model(helper.make_node("ReduceSum", ["x", "axes"], ["y"]), TensorProto.INT64, inputs=("x", "axes")),
     "input 1 of ReduceSum is computed"),
    (model(helper.make_node("ReduceSum", ["x", "a"], ["y"]), constants=(numpy_helper.from_array(np.array([1]), "a"),)), ""),
])
def test_each_rule_fires(built: onnx.ModelProto, words: str) -> None:
    found = violations(built)
    assert (words in found[0] if words else not found), found


def test_a_mended_graph_is_still_in_the_list(tmp_path: Path) -> None:
    path = overflowing(tmp_path / "g.onnx")
    assert secure("g", path, calls(), 1).kept
    assert violations(onnx.load(path)) == []
