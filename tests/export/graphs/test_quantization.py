"""Quantised weights in both forms: ONNX Runtime computes with what was packed, it is stored once, and options fit together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import pytest
from click.testing import CliRunner
from onnx import TensorProto, helper, numpy_helper

from engines.tensorrt.store import build_engine_set
from export.checkpoints.sources import CheckpointSource
from export.cli import export
from export.config import ExportConfig
from export.exporter import export_bundle
from export.graphs.clip_ratios import block_size_of
from export.graphs.quantization import LANGUAGE_MODEL, Dequantized, MatMulNBits, quantize, quantized_weights
from export.verification.parity import open_session
from runtime.bundle.manifest import Weights
from runtime.bundle.reader import Bundle
from runtime.errors import OptionError
from tests.engines.tensorrt_operators import violations
from tests.export.tiny import PATCH, fp32_config

WIDTH, COLUMNS = 80, 64
"""Not a multiple of the block, so that padding counts."""
NAMES: dict[int, Weights] = {8: "int8", 4: "int4"}


def twice(path: Path, weight: np.ndarray) -> ir.Model:
    """One weight that two nodes read, one product being an output, as the extractor's steps read theirs."""
    kind, rows = helper.np_dtype_to_tensor_dtype(weight.dtype), len(weight)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["first"]), helper.make_node("Neg", ["x"], ["minus"]),
             helper.make_node("MatMul", ["minus", "w"], ["second"])]
    tensors = [helper.make_tensor_value_info(name, kind, [1, size])
               for name, size in (("x", rows), ("first", COLUMNS), ("second", COLUMNS))]
    graph = helper.make_graph(nodes, "g", tensors[:1], tensors[1:], [numpy_helper.from_array(weight, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)
    return ir.load(path)


def unpacked(weight: np.ndarray, bits: int) -> np.ndarray:
    """The weight as the operator's description reads the codes."""
    codes, scales = MatMulNBits(bits).parts(weight).values()
    if bits == 4:
        codes = np.stack((codes & 15, codes >> 4), -1).reshape(*codes.shape[:2], -1)
    values = (codes.astype(np.float32) - (1 << (bits - 1))) * scales[..., None]
    return values.reshape(len(codes), -1)[:, :len(weight)].T


@pytest.fixture
def weight() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((WIDTH, COLUMNS)).astype(np.float32)


@pytest.mark.parametrize(("bits", "error"), [(8, 0.02), (4, 0.35)])
def test_packing_keeps_every_weight_within_a_step(weight: np.ndarray, bits: int, error: float) -> None:
    scales = np.abs(MatMulNBits(bits).parts(weight)["scales"])
    steps = 1.01 if bits == 8 else 3.5  # where a range was cut, the largest weight is further off
    assert np.abs(unpacked(weight, bits) - weight).max() <= scales.max() * steps
    assert 0 < np.abs(unpacked(weight, bits) - weight).max() < error * 2


def test_blocks_are_as_long_as_a_column_divides_into() -> None:
    assert [block_size_of(rows) for rows in (896, 192, WIDTH)] == [128, 64, None]


def test_four_bits_err_less_than_with_whole_ranges() -> None:
    weight = np.random.default_rng(3).standard_normal((128, COLUMNS)).astype(np.float32)
    largest = np.take_along_axis(weight, np.abs(weight).argmax(0)[None], 0) / -8
    whole = np.clip(np.rint(weight / largest), -8, 7) * largest
    errors, before = (np.square(found - weight).sum(0) for found in (unpacked(weight, 4), whole))
    assert (errors <= before * (1 + 1e-5)).all()
    assert errors.sum() < 0.92 * before.sum()


@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.parametrize("rows", [128, 64])
def test_long_blocks_are_unpacked_too(rows: int, bits: int, tmp_path: Path) -> None:
    weight = np.random.default_rng(2).standard_normal((rows, COLUMNS)).astype(np.float32)
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in (("x", rows), ("y", COLUMNS))]
    graph = helper.make_graph([node], "g", values[:1], values[1:], [numpy_helper.from_array(weight, "w")])
    model = ir.from_proto(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8))
    quantize(model, NAMES[bits], "fp32")
    ir.save(model, tmp_path / "quantized.onnx")
    x = np.random.default_rng(1).standard_normal((1, rows)).astype(np.float32)
    (found,) = open_session(tmp_path / "quantized.onnx").run(["y"], {"x": x})
    expected = x @ unpacked(weight, bits)
    assert np.abs(found - expected).max() <= 0.02 * np.abs(expected).max()


def test_a_weight_of_zeros_stays_zero() -> None:
    assert not unpacked(np.zeros((64, 2), np.float32), 4).any()


@pytest.mark.parametrize(("bits", "error"), [(8, 0.02), (4, 0.02)])
def test_onnx_runtime_computes_with_the_unpacked_weight(weight: np.ndarray, bits: int, error: float, tmp_path: Path) -> None:
    model = twice(tmp_path / "plain.onnx", weight)
    quantize(model, NAMES[bits], "fp32")
    ir.save(model, tmp_path / "quantized.onnx")
    x = np.random.default_rng(1).standard_normal((1, WIDTH)).astype(np.float32)
    first, second = open_session(tmp_path / "quantized.onnx").run(["first", "second"], {"x": x})
    expected = x @ unpacked(weight, bits)
    for found, wanted in ((first, expected), (second, -expected)):
        assert np.abs(found - wanted).max() <= error * np.abs(expected).max()


def test_a_weight_that_two_nodes_read_is_stored_once(weight: np.ndarray, tmp_path: Path) -> None:
    model = twice(tmp_path / "plain.onnx", weight)
    quantize(model, "int8", "fp32")
    assert sorted(model.graph.initializers) == ["w.codes", "w.scales"]
    assert [node.op_type for node in model.graph] == ["MatMulNBits", "Neg", "MatMulNBits"]


def dequantized(weight: np.ndarray, bits: int) -> np.ndarray:
    """The weight as DequantizeLinear's description reads what is stored."""
    codes, scales = (part.astype(np.float32) for part in Dequantized(bits).parts(weight).values())
    return codes * (scales if bits == 8 else np.repeat(scales, len(codes) // len(scales), 0))


@pytest.mark.parametrize(("rows", "bits", "error"), [(192, 8, 0.009), (192, 4, 0.12), (WIDTH, 8, 0.009)])
def test_the_form_for_tensorrt_is_near_and_computed_with(rows: int, bits: int, error: float, tmp_path: Path) -> None:
    weight = np.random.default_rng(4).standard_normal((rows, COLUMNS)).astype(np.float16)
    near = dequantized(weight, bits)
    assert 0 < np.linalg.norm(near - weight) < error * np.linalg.norm(weight.astype(np.float32))
    model = twice(tmp_path / "plain.onnx", weight)
    quantize(model, NAMES[bits], "fp16")
    ir.save(model, tmp_path / "quantized.onnx")
    onnx.checker.check_model(str(tmp_path / "quantized.onnx"), full_check=True)
    x = np.random.default_rng(1).standard_normal((1, rows)).astype(np.float16)
    first, second = open_session(tmp_path / "quantized.onnx").run(["first", "second"], {"x": x})
    expected = x.astype(np.float32) @ near
    for found, wanted in ((first, expected), (second, -expected)):
        assert np.abs(found - wanted).max() <= 0.01 * np.abs(expected).max()


def test_the_form_for_tensorrt_has_no_negative_scale_and_opens_a_weight_for_each_product(tmp_path: Path) -> None:
    weight = np.random.default_rng(4).standard_normal((128, COLUMNS)).astype(np.float16)
    model = twice(tmp_path / "plain.onnx", weight)
    quantize(model, "int4", "fp16")
    assert [node.op_type for node in model.graph] == ["DequantizeLinear", "MatMul", "Neg", "DequantizeLinear", "MatMul"]
    assert sorted(model.graph.initializers) == ["w.codes", "w.scales"]
    scales, codes = (model.graph.initializers[f"w.{part}"].const_value for part in ("scales", "codes"))
    assert scales is not None and codes is not None
    assert (scales.numpy() >= 0).all()
    assert codes.dtype == ir.DataType.INT4
    assert codes.nbytes == weight.nbytes // 4


def test_a_column_that_no_block_divides_stays_as_it_is_in_four_bits_for_tensorrt(tmp_path: Path) -> None:
    model = twice(tmp_path / "plain.onnx", np.ones((WIDTH, COLUMNS), np.float16))
    quantize(model, "int4", "fp16")
    assert list(model.graph.initializers) == ["w"]
    assert model.opset_imports[""] == 18


def test_a_bundle_for_tensorrt_is_proved_in_half_and_keeps_to_the_operator_list(
        saved_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.graphs.quantization.SMALLEST", 64)
    order = ExportConfig(patch=PATCH, precision="fp16", max_seconds=10.0, weights="int8")
    manifest = export_bundle(CheckpointSource(saved_checkpoint), order, tmp_path / "bundle").manifest
    assert manifest.numbers == "fp16-int8"
    assert manifest.parity and manifest.half and manifest.audio is not None
    assert "FP16-INT8" in (tmp_path / "bundle" / "MODEL_CARD.md").read_text()
    for name in manifest.graphs:
        model = onnx.load(str(tmp_path / "bundle" / manifest.graph_path(name)), load_external_data=False)
        assert violations(model) == [], name
        assert any(node.op_type == "DequantizeLinear" for node in model.graph.node) == (name in LANGUAGE_MODEL)


def test_engines_of_a_bundle_for_cpus_are_refused(saved_checkpoint: Path, tmp_path: Path) -> None:
    order = fp32_config(PATCH, verify=False, weights="int4")
    path = export_bundle(CheckpointSource(saved_checkpoint), order, tmp_path / "bundle").path
    with pytest.raises(OptionError, match="--fp16 --int4"):
        build_engine_set(Bundle.open(path), None, None, "")  # type: ignore[arg-type]


def test_a_flow_is_quantised_for_tensorrt_only_and_never_in_four_bits() -> None:
    assert [quantized_weights("backbone", weights, "fp32") for weights in (None, *NAMES.values())] == [None, "int8", "int4"]
    assert [quantized_weights("flow_estimator", weights, "fp16") for weights in (None, *NAMES.values())] == [None, "int8",
                                                                                                             "int8"]
    assert {quantized_weights(graph, "int4", "fp32") for graph in ("flow_estimator", "vocoder", "text_embedding")} == {None}


@pytest.mark.parametrize("options", [["--int8", "--int4"], ["--int4", "--sm", "8.6"], ["--int8", "--engines", "tensorrt"]])
def test_options_that_do_not_go_together(options: list[str], tmp_path: Path) -> None:
    result = CliRunner().invoke(export, [*options, "--out", str(tmp_path / "bundle")])
    assert isinstance(result.exception, OptionError)
    assert "--fp16" in str(result.exception)
    assert not (tmp_path / "bundle").exists()
