"""A half-precision graph with some of its nodes computed in float32, and the same graph as a GPU's arithmetic rounds it.

ONNX Runtime's CPU computes most float16 nodes in float32 and does not round between them, so that an overflow on a GPU is
a finite number there. Here every float16 value is rounded by its own Cast, which no optimiser may drop.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, shape_inference

from runtime.atomic import atomic_file

HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT


def load_graph(path: Path) -> onnx.ModelProto:
    """A graph without the weights that are stored beside it."""
    return onnx.load(str(path), load_external_data=False)


def save_graph(model: onnx.ModelProto, path: Path) -> None:
    """Write a graph beside its weights, whole or not at all."""
    with atomic_file(path) as file:
        file.write(model.SerializeToString(deterministic=True))


def half_values(model: onnx.ModelProto) -> set[str]:
    """Names of all float16 values: inputs, weights, results of nodes."""
    graph = shape_inference.infer_shapes(model).graph
    typed = {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.input, *graph.output)}
    typed |= {tensor.name: tensor.data_type for tensor in graph.initializer}
    return {name for name, kind in typed.items() if kind == HALF}


def half_nodes(model: onnx.ModelProto, half: Container[str]) -> list[onnx.NodeProto]:
    """Nodes that take or give a float16 value, in the graph's order."""
    return [node for node in model.graph.node if any(name in half for name in (*node.input, *node.output))]


def wide_ending(model: onnx.ModelProto) -> str:
    """Return a suffix for names of float32 values that no value of the graph has yet."""
    taken = {name for node in model.graph.node for name in node.output}
    return next(ending for ending in (f".wide{index}" for index in range(len(taken) + 1))
                if not any(name.endswith(ending) for name in taken))


def computed_wide(model: onnx.ModelProto, half: set[str], wide: Container[str], emulate: bool = False) -> onnx.ModelProto:
    """A copy in which the nodes named in `wide` compute in float32, Casts around them.

    Args:
        model: the graph; inputs and outputs keep their types.
        half: its `half_values`.
        wide: names of nodes.
        emulate: compute the others in float32 too, but round each result to float16: what a GPU computes that multiplies
            float16 numbers and adds them up in float32.
    """
    touched = {node.name for node in half_nodes(model, half)}
    in_float = touched if emulate else {name for name in touched if name in wide}
    narrow = {name for node in model.graph.node if node.name not in in_float for name in node.input}
    narrow |= {output.name for output in model.graph.output}
    ending, nodes, widened = wide_ending(model), list[onnx.NodeProto](), set[str]()
    raw = f".raw{ending}"
    for node in model.graph.node:
        if node.name not in in_float:
            nodes.append(node)
            continue
        for name in dict.fromkeys(node.input):
            if name in half and name not in widened:
                nodes.append(_cast(name, name + ending, FLOAT))
                widened.add(name)
        rounded = emulate and node.name not in wide
        nodes.append(_in_float(node, half, ending, raw if rounded else ending))
        for name in (name for name in node.output if name in half):
            widened.add(name)
            if rounded:
                nodes += [_cast(name + raw, name, HALF), _cast(name, name + ending, FLOAT)]
            elif name in narrow:
                nodes.append(_cast(name + ending, name, HALF))
    result = onnx.ModelProto()
    result.CopyFrom(model)
    del result.graph.node[:]
    result.graph.node.extend(nodes)
    return result


def _in_float(node: onnx.NodeProto, half: Container[str], takes: str, gives: str) -> onnx.NodeProto:
    """The node on the float32 forms of its float16 values."""
    result = onnx.NodeProto()
    result.CopyFrom(node)
    result.input[:] = [name + takes if name in half else name for name in node.input]
    result.output[:] = [name + gives if name in half else name for name in node.output]
    for attribute in result.attribute:
        if attribute.name == "to" and attribute.i == HALF:
            attribute.i = FLOAT
        if attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type == HALF:
            attribute.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(attribute.t).astype(np.float32)))
    return result


def _cast(source: str, target: str, kind: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], name=f"Cast_{source}_{target}", to=kind)


def with_magnitudes(model: onnx.ModelProto, values: Iterable[str]) -> tuple[onnx.ModelProto, list[str]]:
    """A copy that also gives the largest magnitude of each float32 value, and the names of those outputs.

    An empty value has magnitude 0; one that is not finite gives a magnitude that is not.
    """
    result, names = onnx.ModelProto(), []
    result.CopyFrom(model)
    flat, zero = "magnitude.flat", "magnitude.zero"
    result.graph.initializer.append(numpy_helper.from_array(np.array([-1]), flat))
    result.graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), zero))
    for value in values:
        steps = [f"{value}.{step}" for step in ("row", "joined", "size", "magnitude")]
        result.graph.node.extend([
            helper.make_node("Reshape", [value, flat], [steps[0]]),
            helper.make_node("Concat", [steps[0], zero], [steps[1]], axis=0),
            helper.make_node("Abs", [steps[1]], [steps[2]]),
            helper.make_node("ReduceMax", [steps[2]], [steps[3]], keepdims=0),
        ])
        result.graph.output.append(helper.make_tensor_value_info(steps[3], FLOAT, []))
        names.append(steps[3])
    return result, names
