"""The graphs: operators that TensorRT 10.3 parses, FP16 with its float32 islands, and what their inputs mean."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, shape_inference

from export.graphs.example_inputs import example_inputs
from export.verification.parity import open_session
from runtime.bundle.reader import Bundle
from tests.export.tiny import PATCH, Export

FLOAT, HALF, INT, BOOL = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT64, TensorProto.BOOL
REAL, NUMBER, ANY = {FLOAT, HALF}, {FLOAT, HALF, INT}, {FLOAT, HALF, INT, BOOL}
TENSORRT = {
    "Add": NUMBER, "And": {BOOL}, "Cast": ANY, "Clip": REAL, "Concat": ANY, "Conv": REAL, "Cos": REAL, "Div": NUMBER,
    "Equal": NUMBER, "Erf": REAL, "Exp": REAL, "Expand": ANY, "Floor": REAL, "Gather": ANY, "GatherElements": ANY, "Gemm": REAL,
    "Greater": NUMBER, "GreaterOrEqual": NUMBER, "Identity": ANY, "LayerNormalization": REAL, "Less": NUMBER,
    "LessOrEqual": NUMBER, "MatMul": REAL, "Max": NUMBER, "Min": NUMBER, "Mul": NUMBER, "Neg": NUMBER, "Not": {BOOL},
    "Or": {BOOL}, "Pow": REAL, "Range": NUMBER, "Reciprocal": REAL, "ReduceMean": NUMBER, "ReduceSum": NUMBER, "Reshape": ANY,
    "Shape": ANY, "Sigmoid": REAL, "Sin": REAL, "Slice": ANY, "Softmax": REAL, "Split": ANY, "Sqrt": REAL, "Squeeze": ANY,
    "Sub": NUMBER, "Tanh": REAL, "Tile": ANY, "TopK": NUMBER, "Transpose": ANY, "Unsqueeze": ANY, "Where": ANY,
}
"""Operators of TensorRT 10.3's ONNX parser with the types it documents for their first input (third for Where), as far as
these graphs may use them. Loops (CumSum, Loop, Scan), Einsum and integer Mod and Clip are left out on purpose."""
CONSTANT_INPUTS = {"ReduceMean": 1, "ReduceSum": 1, "Squeeze": 1, "Unsqueeze": 1, "Slice": 3, "TopK": 1, "Conv": 1}
"""The input that TensorRT wants to be an initializer."""

FORMS = [(PATCH, "fp32"), (PATCH, "fp16"), (1, "fp32")]
GRAPHS = ["text_embedding", "compressor", "backbone", "extractor", "vocoder"]


def load(exported: Export, form: tuple[int, str], name: str) -> onnx.ModelProto:
    return onnx.load(exported(*form).path / "onnx" / f"{name}.onnx")


def types_of(model: onnx.ModelProto) -> dict[str, int]:
    inferred = shape_inference.infer_shapes(model, strict_mode=True).graph
    values = (*inferred.value_info, *inferred.input, *inferred.output)
    known = {value.name: value.type.tensor_type.elem_type for value in values}
    return {**known, **{tensor.name: tensor.data_type for tensor in inferred.initializer}}


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("name", GRAPHS)
def test_operators_are_those_of_tensorrt(exported: Export, form: tuple[int, str], name: str) -> None:
    model = load(exported, form, name)
    types = types_of(model)
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {node.output[0] for node in model.graph.node if node.op_type == "Constant"}
    assert [entry.domain for entry in model.opset_import] == [""] and 17 <= model.opset_import[0].version <= 20
    assert not model.functions
    for node in model.graph.node:
        assert node.domain == "" and not any(attribute.type == onnx.AttributeProto.GRAPH for attribute in node.attribute)
        assert node.op_type in TENSORRT, node.op_type
        first = types[node.input[2 if node.op_type == "Where" else 0]]
        assert first in TENSORRT[node.op_type], f"{node.name} of type {TensorProto.DataType.Name(first)}"
        place = CONSTANT_INPUTS.get(node.op_type)
        if place is not None and len(node.input) > place and node.input[place]:
            assert node.input[place] in constants, f"{node.name}: input {place} is computed"
        assert not {types[value] for value in node.output if value} - {FLOAT, HALF, INT, BOOL}


def test_the_operator_check_fires(exported: Export) -> None:
    """An integer Clip is what `tokens.clamp(min=0)` exports to; the list must refuse it."""
    assert INT not in TENSORRT["Clip"] and "CumSum" not in TENSORRT and "Loop" not in TENSORRT
    types = types_of(load(exported, (PATCH, "fp32"), "extractor"))
    assert INT in types.values() and BOOL in types.values(), "types must be inferred, not unknown"


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs_pass_the_onnx_checker(exported: Export, name: str) -> None:
    onnx.checker.check_model(load(exported, (PATCH, "fp16"), name), full_check=True)


WIDE = ("Softmax", "Pow", "Sqrt", "LayerNormalization", "TopK", "Exp", "Cos", "Sin", "ReduceMean", "ReduceSum")


@pytest.mark.parametrize("name", ["compressor", "backbone", "extractor", "vocoder"])
def test_weights_are_half_and_sums_are_float(exported: Export, name: str) -> None:
    model = load(exported, (PATCH, "fp16"), name)
    types = types_of(model)
    constants = {tensor.name for tensor in model.graph.initializer}
    weights = [types[node.input[1]] for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in constants]
    wide = 5 if name == "vocoder" else 0  # the harmonic head: filters, pitch, DFT of source and noise, inverse DFT
    assert weights.count(FLOAT) == wide and weights.count(HALF) == len(weights) - wide > 3
    for node in model.graph.node:
        if node.op_type in WIDE:
            if name == "compressor" and node.op_type == "ReduceMean" and types[node.input[0]] == HALF:
                continue  # the mean of k embeddings: a few values of one size, before a norm
            assert types[node.input[0]] in (FLOAT, INT), f"{node.name} runs in half precision"
    assert any(node.op_type == "MatMul" and types[node.output[0]] == HALF for node in model.graph.node)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("name", ["compressor", "backbone", "extractor"])
def test_no_weight_is_transposed_when_the_graph_runs(exported: Export, form: tuple[int, str], name: str) -> None:
    graph = load(exported, form, name).graph
    weights = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    assert not [node.name for node in graph.node if node.op_type in ("Transpose", "Gemm") and weights & set(node.input)]


def run(path: Path, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = open_session(path)
    names = [node.name for node in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def test_masked_past_does_not_matter(exported: Export) -> None:
    bundle = Bundle.open(exported(PATCH).path)
    path, manifest = bundle.graph_paths()["backbone"], bundle.manifest
    lengths = {"batch": 2, "length": 2, "past": 6}
    inputs = example_inputs(manifest.graphs["backbone"], manifest.sizes, lengths, 0, 64)
    assert inputs["past_length"].tolist() == [6, 4]
    before = run(path, inputs)
    inputs["past_keys"][4:, :, 1], inputs["past_values"][4:, :, 1] = 50.0, -50.0
    after = run(path, inputs)
    np.testing.assert_array_equal(after["context"], before["context"])
    inputs["past_values"][3, :, 1] = -50.0
    assert np.abs(run(path, inputs)["context"][1] - before["context"][1]).max() > 1e-3


def test_prefill_in_pieces_equals_prefill_at_once(exported: Export) -> None:
    bundle = Bundle.open(exported(PATCH).path)
    path, manifest = bundle.graph_paths()["backbone"], bundle.manifest
    whole = example_inputs(manifest.graphs["backbone"], manifest.sizes, {"batch": 1, "length": 7, "past": 0}, 0, 64)
    wanted = run(path, whole)
    keys, values = whole["past_keys"], whole["past_values"]
    for start, stop in ((0, 3), (3, 4), (4, 7)):
        new = {name: whole[name][:, start:stop] for name in ("inputs_embeds", "positions")}
        piece = run(path, {**new, "past_length": np.array([start]), "past_keys": keys, "past_values": values})
        keys, values = np.concatenate((keys, piece["present_keys"])), np.concatenate((values, piece["present_values"]))
    np.testing.assert_allclose(piece["context"], wanted["context"], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(keys, wanted["present_keys"], rtol=1e-4, atol=1e-5)


def test_rows_of_a_batch_do_not_touch(exported: Export) -> None:
    bundle = Bundle.open(exported(PATCH).path)
    for name, lengths in (("compressor", {"patches": 2}), ("extractor", {}), ("vocoder", {"tokens": 3})):
        graph = bundle.manifest.graphs[name]
        both = example_inputs(graph, bundle.manifest.sizes, {"batch": 2, **lengths}, 0, 64)
        second = run(bundle.graph_paths()[name], {key: array[1:] for key, array in both.items()})
        for key, array in run(bundle.graph_paths()[name], both).items():
            np.testing.assert_allclose(array[1:], second[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("name", "kernels"), [("vocoder", {"BiasGelu", "LayerNormalization"}),
                                               ("backbone", {"SimplifiedLayerNormalization", "QuickGelu", "FusedMatMul"})])
def test_onnx_runtime_recognises_its_kernels(exported: Export, name: str, kernels: set[str], tmp_path: Path) -> None:
    """Written in another order of operations, each of these is several nodes on every call."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath, options.log_severity_level = str(tmp_path / "optimised.onnx"), 4
    path = exported(PATCH).path / "onnx" / f"{name}.onnx"
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found = [node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node]
    assert kernels <= set(found)
    layers = sum(op == "QuickGelu" for op in found)
    assert name != "backbone" or found.count("Transpose") <= 2 + 4 * layers, "queries, keys, values and the result, once each"
