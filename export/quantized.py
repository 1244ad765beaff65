"""Weight-only INT8 and INT4: every product of a graph with a constant becomes ONNX Runtime's MatMulNBits.

Blocks of weights along a column share one float32 scale: 32 in INT4; in INT8, whose steps are finer, up to 128, as scales are
read too. The zero point is the middle of the range, the default of the operator. Activations stay float32; the kernel rounds
those of each block to int8 as well (accuracy level 4), without which it would compute in float32 and gain little. Weights that
several nodes read (the extractor's k steps) are stored once.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from runtime.manifest import Weights

BITS: dict[Weights, int] = {"int8": 8, "int4": 4}
QUANTIZED = ("compressor", "backbone", "extractor", "step")
"""Graphs that are read whole once a patch."""
BLOCKS = {8: (128, 64), 4: ()}
"""Sizes of a block, the first that divides a column into whole ones; SMALLEST_BLOCK where none does."""
SMALLEST_BLOCK = 32
SMALLEST = 1 << 12
"""Elements of the smallest weight that is worth it."""
DOMAIN = "com.microsoft"
ROUNDS_ACTIVATIONS = 4


def quantize(model: ir.Model, bits: int) -> None:
    """Replace, in place, each MatMul by a float32 weight [K, N] of at least SMALLEST elements."""
    graph = model.graph
    made: dict[str, tuple[ir.Value, ir.Value]] = {}
    for node in [node for node in graph if node.op_type == "MatMul"]:
        weight = node.inputs[1]
        if weight is None or weight.name not in graph.initializers or weight.const_value is None:
            continue
        shape = tuple(weight.const_value.shape.numpy())
        if len(shape) != 2 or weight.const_value.size < SMALLEST:
            continue
        name = str(weight.name)
        if name not in made:
            made[name] = _initializers(graph, name, weight.const_value.numpy(), bits)
        _replace(graph, node, made[name], shape, bits)
    for name in made:
        if not graph.initializers[name].uses():
            del graph.initializers[name]
    if made:
        model.opset_imports[DOMAIN] = 1


def pack(weight: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """A weight float32 [K, N] as uint8 [N, ceil(K / b), b * bits / 8] and its scales float32 [N, ceil(K / b)], b being
    `block_of(K, bits)`."""
    rows, columns = weight.shape
    block = block_of(rows, bits)
    padded = np.pad(weight, ((0, -rows % block), (0, 0)))
    blocks = np.ascontiguousarray(padded.T).reshape(columns, -1, block)
    middle = 1 << (bits - 1)
    # The value of the largest magnitude goes to -middle, the one end of the range that the other lacks.
    place = np.abs(blocks).argmax(-1, keepdims=True)
    scales = np.take_along_axis(blocks, place, -1) / -middle
    divisors = np.where(scales == 0, 1, scales)
    codes = np.clip(np.rint(blocks / divisors) + middle, 0, 2 * middle - 1).astype(np.uint8)
    if bits == 4:
        codes = codes[..., ::2] | codes[..., 1::2] << 4
    return codes, scales[..., 0].astype(np.float32)


def block_of(rows: int, bits: int) -> int:
    """Weights of a column of `rows` that share a scale."""
    return next((size for size in BLOCKS[bits] if rows % size == 0), SMALLEST_BLOCK)


def _initializers(graph: ir.Graph, name: str, weight: np.ndarray, bits: int) -> tuple[ir.Value, ir.Value]:
    values = []
    for array, part in zip(pack(weight, bits), ("codes", "scales"), strict=True):
        tensor = ir.tensor(array, name=f"{name}.{part}")
        value = ir.Value(name=tensor.name, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype), const_value=tensor)
        graph.register_initializer(value)
        values.append(value)
    return values[0], values[1]


def _replace(graph: ir.Graph, node: ir.Node, packed: tuple[ir.Value, ir.Value], shape: tuple[int, ...], bits: int) -> None:
    attributes = {"K": shape[0], "N": shape[1], "bits": bits, "block_size": block_of(shape[0], bits),
                  "accuracy_level": ROUNDS_ACTIVATIONS}
    new = ir.Node(DOMAIN, "MatMulNBits", [node.inputs[0], *packed], [ir.AttrInt64(*item) for item in attributes.items()],
                  name=node.name)
    old, fresh = node.outputs[0], new.outputs[0]
    fresh.name, fresh.type, fresh.shape = old.name, old.type, old.shape
    graph.insert_before(node, new)
    old.replace_all_uses_with(fresh, replace_graph_outputs=True)
    graph.remove(node, safe=True)
