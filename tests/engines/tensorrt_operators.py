"""What TensorRT 10.3, the oldest that is served (JetPack 6.2), parses: every node of a graph against its operator list.

The list is that of the parser's release 10.1, the nearest earlier one whose list was at hand; the parser has not dropped
operators since, so that what is in it is in 10.3.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec
import onnx
from onnx import TensorProto, shape_inference

LIST = Path(__file__).parent / "tensorrt-10-operators.json"
OPSETS = (9, 20)
_TYPES: dict[int, str] = {TensorProto.FLOAT: "FP32", TensorProto.FLOAT16: "FP16", TensorProto.INT64: "INT64",
                          TensorProto.INT32: "INT32", TensorProto.BOOL: "BOOL", TensorProto.INT8: "INT8"}
_MAIN_INPUT = {"Where": 2, "Gather": 0, "Range": 0}
"""The input that an operator's listed types speak of, where it is not the first."""
CONSTANT_INPUTS = {"ReduceMean": 1, "ReduceSum": 1, "ReduceMax": 1, "Squeeze": 1, "Unsqueeze": 1, "Slice": 3, "TopK": 1}
"""Inputs that the list wants to be initializers."""
TOPK_LIMIT = 3840


@lru_cache(maxsize=1)
def operators() -> dict[str, list[str]]:
    """Operator to the types that it takes."""
    found: dict[str, list[str]] = msgspec.json.decode(LIST.read_bytes(), type=dict[str, list[str]])
    return found


def violations(model: onnx.ModelProto) -> list[str]:
    """What TensorRT 10.3 would not take of a graph, one sentence each: operators, their types, inputs that are computed."""
    found = [f"operator set {entry.domain or 'ai.onnx'} {entry.version} is outside {OPSETS[0]} to {OPSETS[1]}"
             for entry in model.opset_import if entry.domain or not OPSETS[0] <= entry.version <= OPSETS[1]]
    types = _types(model)
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {node.output[0] for node in model.graph.node if node.op_type == "Constant"}
    for node in model.graph.node:
        found += _node_violations(node, types, constants)
    return found


def _node_violations(node: onnx.NodeProto, types: dict[str, int], constants: set[str]) -> list[str]:
    takes = operators().get(node.op_type)
    if node.domain or takes is None:
        return [f"{node.name}: operator {node.domain or 'ai.onnx'}.{node.op_type} is not in the list"]
    found = []
    values = [*node.output]
    if node.input:
        values.append(node.input[_MAIN_INPUT.get(node.op_type, 0)])
    for value in filter(None, values):
        kind = types.get(value)
        if kind is None:
            found.append(f"{node.name}: the type of {value} is unknown")
        elif kind not in _TYPES:
            found.append(f"{node.name}: {value} has type {_type_name(kind)}, which no engine has")
    kind = types.get(node.input[_MAIN_INPUT.get(node.op_type, 0)]) if node.input else None
    if kind in _TYPES and _TYPES[kind] not in takes:
        found.append(f"{node.name}: {node.op_type} takes {', '.join(takes)}, not {_TYPES[kind]}")
    place = CONSTANT_INPUTS.get(node.op_type)
    if place is not None and len(node.input) > place and node.input[place] and node.input[place] not in constants:
        found.append(f"{node.name}: input {place} of {node.op_type} is computed, it must be an initializer")
    return found


def _type_name(kind: int) -> str:
    return str(TensorProto.DataType.Name(kind))


def _types(model: onnx.ModelProto) -> dict[str, int]:
    graph = shape_inference.infer_shapes(model, strict_mode=True).graph
    typed = {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.input, *graph.output)}
    return {**typed, **{tensor.name: tensor.data_type for tensor in graph.initializer}}
