"""Weight-only INT8 and INT4: every product of a graph with a constant becomes ONNX Runtime's MatMulNBits.

Blocks of up to 128 weights along a column share one float32 scale: a scale is read as well, and ends the kernel's run of
integer products, so that blocks of 32 take a third more time in INT4. There the scale is searched for: the one with the
smallest squared error cuts off the largest weights of a block. The zero point is the middle of the range, the default of the
operator. Activations stay float32; the kernel rounds those of each block to int8 as well (accuracy level 4), without which it
would compute in float32 and gain little. Weights that several nodes read (the extractor's k steps) are stored once.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from runtime.manifest import Weights

BITS: dict[Weights, int] = {"int8": 8, "int4": 4}
QUANTIZED = ("compressor", "backbone", "extractor", "step")
"""Graphs that are read whole once a patch."""
BLOCKS = (128, 64)
"""Sizes of a block, the first that divides a column into whole ones; SMALLEST_BLOCK where none does."""
SMALLEST_BLOCK = 32
CUTS: dict[int, tuple[float, ...]] = {8: (), 4: (0.95, 0.9, 0.85, 0.8, 0.75, 0.7)}
"""Shares of a block's largest magnitude at which its range may end instead. In INT8 nothing is gained by it."""
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
    `block_of(K)`."""
    rows, columns = weight.shape
    block = block_of(rows)
    padded = np.pad(weight, ((0, -rows % block), (0, 0)))
    blocks = np.ascontiguousarray(padded.T).reshape(columns, -1, block)
    scales, codes = _nearest(blocks, bits)
    if bits == 4:
        codes = codes[..., ::2] | codes[..., 1::2] << 4
    return codes, scales[..., 0].astype(np.float32)


def _nearest(blocks: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Scales [N, C, 1] and codes uint8 [N, C, b] of blocks [N, C, b]: whole ranges, or those of CUTS that err less."""
    middle = 1 << (bits - 1)
    # The value of the largest magnitude goes to -middle, the one end of the range that the other lacks.
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(-1, keepdims=True), -1) / -middle
    scales, (codes, errors) = largest, _rounded(blocks, largest, middle)
    for cut in CUTS[bits]:
        tried = largest * np.float32(cut)
        rounded, error = _rounded(blocks, tried, middle)
        better = error < errors
        scales, codes, errors = (np.where(better, *pair) for pair in ((tried, scales), (rounded, codes), (error, errors)))
    return scales, codes


def _rounded(blocks: np.ndarray, scales: np.ndarray, middle: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of blocks [N, C, b] by these scales, and the squared error of each block [N, C, 1]."""
    steps = np.clip(np.rint(blocks / np.where(scales == 0, 1, scales)), -middle, middle - 1)
    return (steps + middle).astype(np.uint8), np.square(steps * scales - blocks).sum(-1, keepdims=True)


def block_of(rows: int) -> int:
    """Weights of a column of `rows` that share a scale."""
    return next((size for size in BLOCKS if rows % size == 0), SMALLEST_BLOCK)


def _initializers(graph: ir.Graph, name: str, weight: np.ndarray, bits: int) -> tuple[ir.Value, ir.Value]:
    values = []
    for array, part in zip(pack(weight, bits), ("codes", "scales"), strict=True):
        tensor = ir.tensor(array, name=f"{name}.{part}")
        value = ir.Value(name=tensor.name, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype), const_value=tensor)
        graph.register_initializer(value)
        values.append(value)
    return values[0], values[1]


def _replace(graph: ir.Graph, node: ir.Node, packed: tuple[ir.Value, ir.Value], shape: tuple[int, ...], bits: int) -> None:
    attributes = {"K": shape[0], "N": shape[1], "bits": bits, "block_size": block_of(shape[0]),
                  "accuracy_level": ROUNDS_ACTIVATIONS}
    new = ir.Node(DOMAIN, "MatMulNBits", [node.inputs[0], *packed], [ir.AttrInt64(*item) for item in attributes.items()],
                  name=node.name)
    old, fresh = node.outputs[0], new.outputs[0]
    fresh.name, fresh.type, fresh.shape = old.name, old.type, old.shape
    graph.insert_before(node, new)
    old.replace_all_uses_with(fresh, replace_graph_outputs=True)
    graph.remove(node, safe=True)
