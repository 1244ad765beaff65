"""FP16 of the flow: close to float32, and neither NaN nor silence on inputs and weights that overflow float16."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch

from export.checkpoints.cosyvoice import acoustics
from export.checkpoints.cosyvoice.vocoder import CosyVoiceVocoder, FlowEstimatorGraph
from export.checkpoints.sources import open_source
from export.graphs.core_graphs import sizes_of
from export.graphs.example_inputs import example_inputs
from export.graphs.onnx_graph import write_graph
from export.graphs.precision import exportable
from export.graphs.quantization import quantize
from export.model.flow import FlowEstimator
from export.verification.parity import open_session

Run = Callable[[dict[str, np.ndarray]], np.ndarray]


def estimator(directory: Path) -> FlowEstimator:
    state = acoustics.read_state(directory / "flow.pt")  # type: ignore[attr-defined]
    return acoustics.flow_estimator(directory, acoustics.read_flow_config(directory, state), state)


def export(directory: Path, module: FlowEstimator, path: Path,
           finish: Callable[[ir.Model], None] | None = None) -> onnxruntime.InferenceSession:
    graph = CosyVoiceVocoder(directory).graphs("fp16")["flow_estimator"]
    wrapped = FlowEstimatorGraph(module)
    sizes = sizes_of(open_source(str(directory), None).config(1))
    write_graph(exportable(wrapped, "fp16", wrapped.wide), graph, sizes, 600, path, finish)
    return open_session(path)


@pytest.fixture(scope="module")
def half(cosyvoice_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("half") / "flow_estimator.onnx"
    export(cosyvoice_directory, estimator(cosyvoice_directory), path)
    return path


def inputs(directory: Path, scale: float) -> dict[str, np.ndarray]:
    graph = CosyVoiceVocoder(directory).graphs("fp16")["flow_estimator"]
    sizes = sizes_of(open_source(str(directory), None).config(1))
    made = example_inputs(graph, sizes, {"batch": 2, "frames": 50, "past": 50}, 0, 600)
    return {name: array * np.float32(scale) if name in ("x", "mu", "cond", "speaker_mel", "past_inputs") else array
            for name, array in made.items()}


@torch.no_grad()
def reference(directory: Path, given: dict[str, np.ndarray]) -> np.ndarray:
    tensors = [torch.from_numpy(array.astype(np.float32) if array.dtype.kind == "f" else array) for array in given.values()]
    velocity: np.ndarray = estimator(directory)(*tensors)[0].numpy()
    return velocity


@pytest.mark.parametrize("scale", [1.0, 1e3, 1e6])
def test_overflowing_inputs(cosyvoice_directory: Path, half: Path, scale: float) -> None:
    """Nothing is normalised before the first block, so inputs reach it at any scale: it must stay float32 until then."""
    given = inputs(cosyvoice_directory, scale)
    velocity, keys = open_session(half).run(["velocity", "present_keys"], given)
    expected = reference(cosyvoice_directory, given)
    assert np.isfinite(velocity).all() and np.isfinite(keys.astype(np.float32)).all()
    assert velocity.std() > 0.5 * expected.std() > 0, "no silence"
    assert np.abs(velocity - expected).max() < 3e-2 * np.abs(expected).max()


def test_overflowing_weights(cosyvoice_directory: Path, tmp_path: Path) -> None:
    """Queries, keys and feed-forward values beyond float16 are held at its largest number; without that they are NaN."""
    module = estimator(cosyvoice_directory)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            if name.endswith(("to_q.weight", "to_k.weight", "to_v.weight", "ff.0.0.weight", "ff.2.weight")):
                parameter *= 3e4 / parameter.abs().max()
    session = export(cosyvoice_directory, module, tmp_path / "flow_estimator.onnx")
    velocity = session.run(["velocity"], inputs(cosyvoice_directory, 1.0))[0]
    assert np.isfinite(velocity).all() and velocity.std() > 0


def test_what_stays_float32(half: Path) -> None:
    """Softmax, norms, convolutions and the output map; the maps of the blocks compute in float16."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(half)).graph
    kinds = {value.name: value.type.tensor_type.elem_type for value in (*graph.value_info, *graph.output, *graph.input)}
    for node in graph.node:
        if node.op_type in ("Softmax", "Conv", "LayerNormalization", "ReduceMean"):
            assert kinds[node.output[0]] == onnx.TensorProto.FLOAT, node.name
    products = [kinds[node.output[0]] for node in graph.node if node.op_type == "MatMul"]
    assert products.count(onnx.TensorProto.FLOAT16) >= 2 * 8, "six maps and two of attention in each of the two blocks"


def test_int8_weights_are_close_to_float(cosyvoice_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("export.graphs.quantization.SMALLEST", 64)
    finish = partial(quantize, weights="int8", precision="fp16")
    session = export(cosyvoice_directory, estimator(cosyvoice_directory), tmp_path / "flow_estimator.onnx", finish)
    operators = [node.op_type for node in onnx.load(str(tmp_path / "flow_estimator.onnx")).graph.node]
    assert operators.count("DequantizeLinear") >= 8
    given = inputs(cosyvoice_directory, 1.0)
    expected = reference(cosyvoice_directory, given)
    velocity = session.run(["velocity"], given)[0]
    assert 0 < np.abs(velocity - expected).max() <= 0.05 * np.abs(expected).max()
