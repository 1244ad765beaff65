"""A module to an ONNX file: traced, named after the contract, stripped of everything that is not arithmetic."""

from __future__ import annotations

import inspect
import io
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import onnx_ir as ir
import torch
from torch import nn
from torch.export import Dim

from export.graphs.example_inputs import example_inputs
from runtime.bundle.contract import Graph, Sizes, Tensor
from runtime.bundle.shapes import resolve, symbol_of

OPSET = 18
"""TensorRT 10.3 parses up to 20; nothing here needs more than 18."""
IR_VERSION = 8
EMBEDDED_BYTES = 512 * 2**20
"""Above this, weights are stored beside the graph: one protobuf message ends at 2 GiB."""
SHARED = ("speech_embedding.weight",)
"""Tables that several graphs of a bundle read: they are stored beside the graphs, once."""
TRACED = {"batch": 2, "text": 7, "length": 3, "past": 5, "patches": 3, "tokens": 5, "frames": 12, "capacity": 11}
"""Lengths to trace with: none is 0 or 1, which tracing would take for constants."""
PRODUCER = "tldr-export"

Axes = dict[int, Dim]
"""A tensor's dynamic axes."""

_DTYPES = {"int64": ir.DataType.INT64, "float32": ir.DataType.FLOAT, "float16": ir.DataType.FLOAT16, "bool": ir.DataType.BOOL}


def write_graph(module: nn.Module, graph: Graph, sizes: Sizes, text_ids: int, path: Path,
                finish: Callable[[ir.Model], None] | None = None) -> list[Path]:
    """Export `module` as `path`; equal weights give equal bytes.

    Args:
        module: in its exportable form (`export.graphs.fp32_modules`), taking and giving the tensors of `graph` in order.
        text_ids: rows of the text embedding.
        finish: called with the named graph before it is written, as to quantise it.

    Returns:
        The files written or shared: the graph, tables that other graphs of the folder may hold too, and all weights where
        they do not fit into one message.
    """
    model = _traced(module, graph, sizes, text_ids)
    _strip(model.graph, model)
    _name(model.graph, graph)
    if finish is not None:
        finish(model)
    weights = sum(value.const_value.nbytes for value in model.graph.initializers.values() if value.const_value is not None)
    if weights <= EMBEDDED_BYTES:
        tables = _share(model.graph, path.parent)
        ir.save(model, path)
        return [path, *tables]
    beside = path.with_name(path.name + ".data")
    ir.save(model, path, external_data=beside.name)
    return [path, beside]


def _traced(module: nn.Module, graph: Graph, sizes: Sizes, text_ids: int) -> ir.Model:
    arrays = example_inputs(graph, sizes, TRACED, 0, text_ids)
    inputs = tuple(torch.from_numpy(arrays[tensor.name]) for tensor in graph.inputs)
    dims: dict[str, Dim] = {}
    shapes = tuple({index: _dim(axis, dims) for index, axis in enumerate(tensor.axes) if isinstance(axis, str)}
                   for tensor in graph.inputs)
    with _quiet():
        program = torch.onnx.export(module, inputs, dynamo=True, opset_version=OPSET, dynamic_shapes=_as_taken(module, shapes),
                                    input_names=[tensor.name for tensor in graph.inputs],
                                    output_names=[tensor.name for tensor in graph.outputs], verbose=False)
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return program.model


def _as_taken(module: nn.Module, shapes: tuple[Axes, ...]) -> tuple[Axes | tuple[Axes, ...], ...]:
    """Those that a module takes as `*arguments` in a tuple of their own, as the tracer wants them."""
    taken = list(inspect.signature(module.forward).parameters.values())
    if taken[-1].kind is not inspect.Parameter.VAR_POSITIONAL:
        return shapes
    return (*shapes[:len(taken) - 1], shapes[len(taken) - 1:])


def _share(graph: ir.Graph, folder: Path) -> list[Path]:
    """Move the shared tables out of `graph` into files of `folder`; other weights under one name are a fault."""
    files = []
    for name in SHARED:
        value = graph.initializers.get(name)
        if value is None or value.const_value is None:
            continue
        table, path = value.const_value, folder / f"{name}.data"
        data = table.tobytes()
        if path.exists() and path.read_bytes() != data:
            raise RuntimeError(f"two graphs hold different weights named {name}")
        path.write_bytes(data)
        value.const_value = ir.ExternalTensor(path.name, 0, len(data), table.dtype, shape=ir.Shape(table.shape.numpy()),
                                              name=name, base_dir=folder)
        files.append(path)
    return files


def _dim(axis: str, dims: dict[str, Dim]) -> Dim:
    """The tracer's form of an axis such as `15+4*patches`."""
    name = symbol_of(axis) or axis
    (offset,), (first,) = (resolve(Tensor("", "int64", (axis,)), {name: length}) for length in (0, 1))
    dim = dims.setdefault(name, Dim(name))
    scaled = dim if first - offset == 1 else (first - offset) * dim
    return scaled if offset == 0 else scaled + offset


def _strip(graph: ir.Graph, model: ir.Model) -> None:
    """Remove stack traces, documentation, inferred shapes and unused operator sets: nothing of this machine remains."""
    for holder in (model, graph):
        holder.metadata_props.clear()
        holder.doc_string = None
    for node in graph:
        node.metadata_props.clear()
        node.doc_string = None
        for value in node.outputs:
            _strip_value(value)
    for value in (*graph.inputs, *graph.initializers.values()):
        _strip_value(value)
    model.producer_name, model.producer_version = PRODUCER, None
    model.ir_version = IR_VERSION
    used = {node.domain for node in graph}
    for domain in [domain for domain in model.opset_imports if domain and domain not in used]:
        del model.opset_imports[domain]


def _strip_value(value: ir.Value) -> None:
    value.metadata_props.clear()
    value.doc_string = None
    if value.const_value is None:
        value.shape = None


def _name(graph: ir.Graph, contract: Graph) -> None:
    """Contract names, types and axes outside; short counted names inside."""
    graph.name = "tldr"
    outer = set(map(id, (*graph.inputs, *graph.outputs)))
    for index, node in enumerate(graph):
        node.name = f"{node.op_type}_{index}"
        for place, value in enumerate(node.outputs):
            if id(value) not in outer:
                # An output without a name is one that an operator of another domain need not compute.
                value.name = f"{node.op_type}_{index}.{place}" if value.uses() or not node.domain else ""
    for value, tensor in (*zip(graph.inputs, contract.inputs, strict=True), *zip(graph.outputs, contract.outputs, strict=True)):
        value.name = tensor.name
        value.shape = ir.Shape(tensor.axes)
        value.type = ir.TensorType(_DTYPES[tensor.dtype])


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter prints its stages and warns about torchvision and axis names; none of it helps a user."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
