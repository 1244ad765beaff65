"""Weight-only INT8 and INT4: every product of a graph with a constant weight reads whole numbers and their scales.

Weights that several nodes read (the extractor's k steps) are stored once. The form depends on who computes the products, which
the precision of the activations tells: `MatMulNBits` in float32 bundles, `Dequantized` in float16 ones.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import ml_dtypes
import numpy as np
import onnx_ir as ir

from export.graphs.clip_ratios import block_size_of, round_blocks
from runtime.bundle.contract import Precision
from runtime.bundle.manifest import Weights

LANGUAGE_MODEL = ("compressor", "backbone", "extractor", "step")
"""Graphs whose weights are all read once per patch."""
FLOW = "flow_estimator"
"""All its weights are read ten times per chunk; on a GPU that is the cost of a step."""
SMALLEST = 1 << 12
"""Elements of the smallest weight that is worth it."""
BITS: dict[Weights, int] = {"int8": 8, "int4": 4}


def quantized_weights(graph: str, weights: Weights | None, precision: Precision) -> Weights | None:
    """Return the integer format of one graph's weights in a bundle with `weights` and `precision`, or None.

    CosyVoice3's flow is INT8 for TensorRT whatever the language model has, as an error goes through all of its steps.
    """
    if graph in LANGUAGE_MODEL:
        return weights
    return "int8" if weights is not None and precision == "fp16" and graph == FLOW else None


def quantize(model: ir.Model, weights: Weights, precision: Precision) -> None:
    """Replace, in place, each MatMul by a weight [K, N] of at least SMALLEST elements in the type of `precision`."""
    form: WeightFormat = MatMulNBits(BITS[weights]) if precision == "fp32" else Dequantized(BITS[weights])
    graph, stored = model.graph, dict[str, list[ir.Value]]()
    for node in [node for node in graph if node.op_type == "MatMul"]:
        weight = node.inputs[1]
        if weight is None or weight.name not in graph.initializers or weight.const_value is None:
            continue
        shape = tuple(weight.const_value.shape.numpy())
        if len(shape) != 2 or weight.const_value.size < SMALLEST or weight.const_value.dtype != form.dtype:
            continue
        if not form.takes(shape[0]):
            continue
        name = str(weight.name)
        if name not in stored:
            stored[name] = [_initializer(graph, f"{name}.{part}", array)
                            for part, array in form.parts(weight.const_value.numpy()).items()]
        form.replace(graph, node, stored[name], shape)
    for name in stored:
        if not graph.initializers[name].uses():
            del graph.initializers[name]
    if stored:
        form.require(model)


class WeightFormat(ABC):
    """Format of a product with a quantised weight."""

    dtype: ClassVar[ir.DataType]
    """Of the weights that it replaces; others, as the float32 maps of a float16 graph, stay."""

    def __init__(self, bits: int) -> None:
        self.bits = bits

    def takes(self, rows: int) -> bool:
        """Return whether columns of that length can be stored in this format."""
        return True

    @abstractmethod
    def parts(self, weight: np.ndarray) -> dict[str, np.ndarray]:
        """Return the stored tensors of a weight [K, N], by the endings of their names."""

    @abstractmethod
    def replace(self, graph: ir.Graph, node: ir.Node, parts: Sequence[ir.Value], shape: tuple[int, ...]) -> None:
        """Have the product `node` by a weight [K, N] of that shape read the parts instead."""

    @abstractmethod
    def require(self, model: ir.Model) -> None:
        """Ask for the operator sets that it needs."""


class MatMulNBits(WeightFormat):
    """ONNX Runtime's operator, for CPUs.

    Its kernel rounds the activations of each block to int8 as well (accuracy level 4), without which it would compute in
    float32 and gain little. The zero point is the middle of the range, the default of the operator.
    """

    dtype = ir.DataType.FLOAT
    DOMAIN = "com.microsoft"
    PADDED_BLOCK = 32
    """Block of a column that no larger one divides: it is filled up with zeros."""

    def parts(self, weight: np.ndarray) -> dict[str, np.ndarray]:
        """Codes uint8 [N, ceil(K / b), b * bits / 8] and scales float32 [N, ceil(K / b)]."""
        rows, columns = weight.shape
        block = self._block(rows)
        padded = np.pad(weight, ((0, -rows % block), (0, 0)))
        scales, steps = round_blocks(np.ascontiguousarray(padded.T).reshape(columns, -1, block), self.bits, signed=True)
        codes = (steps.astype(np.int16) + (1 << (self.bits - 1))).astype(np.uint8)
        packed: np.ndarray = codes if self.bits == 8 else codes[..., ::2] | codes[..., 1::2] << 4
        return {"codes": packed, "scales": scales[..., 0].astype(np.float32)}

    def replace(self, graph: ir.Graph, node: ir.Node, parts: Sequence[ir.Value], shape: tuple[int, ...]) -> None:
        attributes = {"K": shape[0], "N": shape[1], "bits": self.bits, "block_size": self._block(shape[0]), "accuracy_level": 4}
        new = ir.Node(self.DOMAIN, "MatMulNBits", [node.inputs[0], *parts],
                      [ir.AttrInt64(*item) for item in attributes.items()], name=node.name)
        old, fresh = node.outputs[0], new.outputs[0]
        fresh.name, fresh.type, fresh.shape = old.name, old.type, old.shape
        graph.insert_before(node, new)
        old.replace_all_uses_with(fresh, replace_graph_outputs=True)
        graph.remove(node, safe=True)

    def require(self, model: ir.Model) -> None:
        model.opset_imports[self.DOMAIN] = 1

    def _block(self, rows: int) -> int:
        return block_size_of(rows) or self.PADDED_BLOCK


class Dequantized(WeightFormat):
    """A DequantizeLinear between the stored weight and its product, for TensorRT, which computes both in one kernel: the engine
    has and reads the small weight. INT8 has a scale a column, INT4 one a block; none is negative, as TensorRT wants it."""

    dtype = ir.DataType.FLOAT16
    VERSIONS: ClassVar = {8: (19, 9), 4: (21, 10)}
    """Operator set and IR version: the first with float16 scales; those with blocks and 4 bits."""

    def takes(self, rows: int) -> bool:
        return self.bits == 8 or block_size_of(rows) is not None

    def parts(self, weight: np.ndarray) -> dict[str, np.ndarray]:
        """Codes int8 or int4 [K, N] and scales float16, [N] or [K / b, N]."""
        rows, columns = weight.shape
        block = rows if self.bits == 8 else block_size_of(rows) or rows
        scales, codes = round_blocks(np.ascontiguousarray(weight.T, np.float32).reshape(columns, -1, block), self.bits,
                                     signed=False)
        whole = np.ascontiguousarray(codes.reshape(columns, rows).T)
        each = np.ascontiguousarray(scales[..., 0].T).astype(np.float16)
        if self.bits == 8:
            return {"codes": whole, "scales": each[0]}
        return {"codes": whole.astype(ml_dtypes.int4), "scales": each}

    def replace(self, graph: ir.Graph, node: ir.Node, parts: Sequence[ir.Value], shape: tuple[int, ...]) -> None:
        # One a product, though they may share a weight: only then can each be computed with its own.
        place = {"axis": 1} if self.bits == 8 else {"axis": 0, "block_size": block_size_of(shape[0]) or shape[0]}
        opened = ir.Node("", "DequantizeLinear", parts, [ir.AttrInt64(*item) for item in place.items()],
                         name=f"{node.outputs[0].name}.weight")
        opened.outputs[0].name = opened.name
        opened.outputs[0].type = ir.TensorType(ir.DataType.FLOAT16)
        graph.insert_before(node, opened)
        node.replace_input_with(1, opened.outputs[0])

    def require(self, model: ir.Model) -> None:
        model.opset_imports[""], model.ir_version = self.VERSIONS[self.bits]


def _initializer(graph: ir.Graph, name: str, array: np.ndarray) -> ir.Value:
    tensor = ir.tensor(array, name=name)
    value = ir.Value(name=name, shape=ir.Shape(array.shape), type=ir.TensorType(tensor.dtype), const_value=tensor)
    graph.register_initializer(value)
    return value
