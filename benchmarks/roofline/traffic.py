"""Bytes and operations of one call of a graph, counted from its ONNX file.

Weights count once for every node that uses them: the extractor's slots once per patch, its layers and its head k times, as the
graph is unrolled. A table that is looked up counts with the rows taken, not with its size.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

from runtime.bundle.contract import Tensor
from runtime.bundle.shapes import resolve
from runtime.errors import BundleError

WEIGHT_SHAPING = ("DequantizeLinear", "Cast", "Transpose", "Reshape", "Identity", "Unsqueeze", "Squeeze")
"""Between a stored weight and the node that multiplies by it."""
LOOK_UPS = ("Gather", "GatherElements", "GatherND", "GatherBlockQuantized")
PRODUCTS = ("MatMul", "Gemm", "Conv", "ConvTranspose", "MatMulNBits", "MatMulInteger", "DynamicQuantizeMatMul")
WIDE = 4
"""Bytes of a float16 weight as a CPU provider without float16 kernels reads it: widened once, when the graph is loaded."""


@dataclass(frozen=True)
class Traffic:
    """One call of a graph."""

    weight_bytes: float
    weights: float
    """Weights read, whatever their precision: each once for every node that uses it."""
    flops: float
    """Multiply and add count as two."""


def traffic(path: Path, axes: Mapping[str, int], widened: bool = False) -> Traffic:
    """Count the graph at `path` with its dynamic axes set to `axes`; `widened`: float16 weights are read as float32."""
    try:
        model = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf's errors share no base
        raise BundleError(f"{path} cannot be read as ONNX ({error}); export the bundle again.") from error
    stored = {tensor.name: (math.prod(tensor.dims), _bytes(tensor, widened)) for tensor in model.graph.initializer}
    for node in model.graph.node:  # a weight keeps its size through what only shapes it
        if node.op_type in WEIGHT_SHAPING and node.input[0] in stored and node.output:
            extra = sum(stored[name][1] for name in node.input[1:] if node.op_type == "DequantizeLinear" and name in stored)
            elements, size = stored[node.input[0]]
            stored[node.output[0]] = (elements, size + extra)
    shapes = _shapes(model, axes)
    read = count = flops = 0.0
    for node in model.graph.node:
        if node.op_type in LOOK_UPS or node.op_type in WEIGHT_SHAPING:
            continue
        weights = [name for name in node.input if name in stored]
        read += sum(stored[name][1] for name in weights)
        count += sum(stored[name][0] for name in weights)
        if node.op_type in PRODUCTS:
            flops += _flops(node, weights, stored, shapes)
    return Traffic(read, count, flops)


def _bytes(tensor: onnx.TensorProto, widened: bool) -> float:
    elements: int = math.prod(tensor.dims)
    if tensor.data_type in (onnx.TensorProto.INT4, onnx.TensorProto.UINT4):
        return elements / 2
    if widened and tensor.data_type == onnx.TensorProto.FLOAT16:
        return float(elements * WIDE)
    size: int = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    return float(elements) * size


def _flops(node: onnx.NodeProto, weights: list[str], stored: Mapping[str, tuple[int, float]],
           shapes: Mapping[str, list[int]]) -> float:
    output = shapes.get(node.output[0])
    if not weights:  # attention: rows x columns x what is summed over
        inner = (shapes.get(node.input[0]) or [0])[-1]
        return 2.0 * math.prod(output) * inner if output else 0.0
    elements = stored[weights[0]][0]
    if node.op_type == "MatMulNBits":
        sizes = {attribute.name: attribute.i for attribute in node.attribute}
        return 2.0 * float(sizes["K"] * sizes["N"]) * (math.prod(output[:-1]) if output else 1)
    if output is None:
        return 2.0 * elements
    if node.op_type in ("Conv", "ConvTranspose"):
        steps = shapes.get(node.input[0], output)[2:] if node.op_type == "ConvTranspose" else output[2:]
        return 2.0 * elements * output[0] * math.prod(steps)
    return 2.0 * elements * math.prod(output[:-1])


def _shapes(model: onnx.ModelProto, axes: Mapping[str, int]) -> dict[str, list[int]]:
    """Shapes of all values that can be inferred with the dynamic axes set; axes like `15+4*patches` are worked out."""
    small = onnx.ModelProto()
    small.CopyFrom(model)
    for value in small.graph.input:
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param:
                dimension.dim_value = _size(dimension.dim_param, axes)
    for value in small.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(small, data_prop=True)
    except Exception:  # weights stored beside the graph: sizes of rows are then taken as one
        return {}
    values: Iterable[onnx.ValueInfoProto] = [*inferred.graph.input, *inferred.graph.value_info, *inferred.graph.output]
    found = {}
    for value in values:
        sizes = [dimension.dim_value for dimension in value.type.tensor_type.shape.dim]
        if sizes and all(sizes):
            found[value.name] = sizes
    return found


def _size(axis: str, axes: Mapping[str, int]) -> int:
    spelled = axis.replace(" ", "")
    try:
        return resolve(Tensor("x", "float32", (spelled,)), dict(axes))[0]
    except (KeyError, ValueError):
        return 1
