"""Bytes and operations of graphs small enough to count by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper, save

from benchmarks.roofline.traffic import traffic
from runtime.errors import BundleError


def model(path: Path, nodes: list[object], weights: dict[str, np.ndarray], axes: list[object]) -> Path:
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, axes)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
                              [numpy_helper.from_array(value, name) for name, value in weights.items()])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return path


def test_weights_count_once_a_use(tmp_path: Path) -> None:
    weight = np.ones((8, 8), np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("MatMul", ["a", "w"], ["y"])]
    found = traffic(model(tmp_path / "m.onnx", nodes, {"w": weight}, [1, 8]), {})
    assert (found.weight_bytes, found.weights, found.flops) == (2 * 256, 2 * 64, 2 * 2 * 64)


def test_rows_count_in_operations_not_in_bytes(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    path = model(tmp_path / "m.onnx", nodes, {"w": np.ones((8, 4), np.float32)}, ["batch", "15+4*patches", 8])
    found = traffic(path, {"batch": 2, "patches": 1})
    assert (found.weight_bytes, found.flops) == (128, 2 * 32 * 2 * 19)


def test_tables_that_are_looked_up_are_not_read_whole(tmp_path: Path) -> None:
    nodes = [helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64), helper.make_node("Gather", ["w", "i"], ["y"])]
    assert traffic(model(tmp_path / "m.onnx", nodes, {"w": np.ones((1000, 8), np.float32)}, [1]), {}).weight_bytes == 0


def test_stored_precision_counts_through_what_shapes_it(tmp_path: Path) -> None:
    weights = {"w": np.ones((8, 8), np.int8), "s": np.ones((), np.float32), "z": np.zeros((), np.int8)}
    nodes = [helper.make_node("DequantizeLinear", ["w", "s", "z"], ["d"]),
             helper.make_node("Transpose", ["d"], ["t"], perm=[1, 0]),
             helper.make_node("MatMul", ["x", "t"], ["y"])]
    found = traffic(model(tmp_path / "m.onnx", nodes, weights, [1, 8]), {})
    assert (found.weight_bytes, found.weights) == (64 + 4 + 1, 64)


def test_half_is_widened_on_a_processor(tmp_path: Path) -> None:
    nodes = [helper.make_node("Cast", ["w"], ["d"], to=TensorProto.FLOAT), helper.make_node("MatMul", ["x", "d"], ["y"])]
    path = model(tmp_path / "m.onnx", nodes, {"w": np.ones((8, 8), np.float16)}, [1, 8])
    assert (traffic(path, {}).weight_bytes, traffic(path, {}, widened=True).weight_bytes) == (128, 256)


def test_convolutions(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3])]
    found = traffic(model(tmp_path / "m.onnx", nodes, {"w": np.ones((6, 4, 3), np.float32)}, [1, 4, "frames"]), {"frames": 12})
    assert (found.weight_bytes, found.flops) == (288, 2 * 72 * 10)


def test_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"nonsense")
    with pytest.raises(BundleError, match="export the bundle again"):
        traffic(tmp_path / "m.onnx", {})
