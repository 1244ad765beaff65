"""Every exported graph against its PyTorch module: names, types, axes, shapes, then values at several lengths."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from export.graphs.core_graphs import ExtractorGraph, HeadGraph
from export.graphs.example_inputs import Arrays, example_inputs
from export.model.sampling import MASKED, sample
from runtime.backends.base import DTYPES
from runtime.backends.library import load_onnxruntime
from runtime.bundle.contract import CAPACITY, Graph, Precision, Sizes, Tensor
from runtime.bundle.manifest import Parity, Weights
from runtime.bundle.shapes import resolve
from runtime.errors import ParityError

onnxruntime = load_onnxruntime()

TOLERANCE: Mapping[Precision | Weights, float] = {"fp32": 1e-4, "fp16": 3e-2, "int8": 1e-1, "int4": 5e-1}
"""Largest error allowed, as a part of the largest value of the output. All are compared with the float32 module; the error of
quantised weights is judged on speech, not bounded here: a weight packed wrongly gives errors around 1."""

LENGTHS: Mapping[str, tuple[dict[str, int], ...]] = {
    "text_embedding": ({"batch": 1, "text": 1}, {"batch": 2, "text": 9}),
    "compressor": ({"batch": 1, "patches": 1}, {"batch": 1, "patches": 4}, {"batch": 3, "patches": 2}),
    "backbone": ({"batch": 1, "length": 6, "past": 0}, {"batch": 1, "length": 1, "past": 1},
                 {"batch": 2, "length": 4, "past": 0}, {"batch": 2, "length": 1, "past": 7},
                 {"batch": 2, "length": 3, "past": 5}),
    "layered backbone": ({"batch": 1, "length": 6, "past": 0, "capacity": 6},
                         {"batch": 1, "length": 1, "past": 1, "capacity": 4},
                         {"batch": 3, "length": 1, "past": 7, "capacity": 12}),
    "extractor": ({"batch": 1}, {"batch": 4}),
    "vocoder": ({"batch": 1, "tokens": 1}, {"batch": 2, "tokens": 6}),
    "speaker_encoder": ({"batch": 1, "tokens": 3}, {"batch": 2, "tokens": 20}),
    "speech_tokenizer": ({"batch": 1, "tokens": 1}, {"batch": 2, "tokens": 20}),
    "listener": ({"batch": 1, "tokens": 1}, {"batch": 2, "tokens": 30}),
    "flow_encoder": ({"batch": 1, "tokens": 1}, {"batch": 2, "tokens": 6}),
    "flow_estimator": ({"batch": 2, "frames": 50, "past": 0}, {"batch": 2, "frames": 30, "past": 50}),
    "pitch": ({"batch": 1, "frames": 20}, {"batch": 2, "frames": 9}),
    "waveform": ({"batch": 1, "frames": 20}, {"batch": 2, "frames": 9}),
}
"""Where each graph is compared: prefill and step, ragged pasts, one patch and several."""

_TYPES = {"tensor(int64)": "int64", "tensor(float)": "float32", "tensor(float16)": "float16", "tensor(bool)": "bool"}


def open_session(path: Path) -> Any:
    """An ONNX Runtime session on the CPU; it takes as many threads as OMP_NUM_THREADS says."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def check_graph(name: str, session: Any, module: nn.Module, graph: Graph, sizes: Sizes, text_ids: int,
                precision: Precision | Weights) -> list[Parity]:
    """Compare a loaded graph with its float32 module; one row an output, the worst over all lengths.

    Raises:
        ParityError: names the graph, the output and the figure that is off.
    """
    _check_interface(name, session, graph)
    worst = {tensor.name: (0.0, 0.0) for tensor in graph.outputs}
    layered = any(CAPACITY in tensor.axes for tensor in graph.inputs)
    for seed, lengths in enumerate(LENGTHS[f"layered {name}" if layered else name]):
        inputs = example_inputs(graph, sizes, lengths, seed, text_ids)
        found = dict(zip(worst, session.run(list(worst), inputs), strict=True))
        symbols = dict(lengths)
        for tensor in graph.outputs:
            _check_array(name, tensor, found[tensor.name], resolve(tensor, symbols))
        expected = _expected(module, graph, inputs, found)
        for tensor in graph.outputs:
            errors = _errors(found[tensor.name], expected[tensor.name])
            before = worst[tensor.name]
            worst[tensor.name] = max(errors[0], before[0]), max(errors[1], before[1])
    rows = [Parity(name, tensor.name, *worst[tensor.name], 0.0 if tensor.dtype == "int64" else TOLERANCE[precision])
            for tensor in graph.outputs]
    for row in rows:
        if not row.relative <= row.tolerance:
            raise ParityError(f"Graph {name}, output {row.output}: relative error {row.relative:.2e} is above the tolerance of "
                              f"{row.tolerance:.0e} (largest absolute error {row.max_abs:.2e}); no bundle was written.")
    return rows


def _check_interface(name: str, session: Any, graph: Graph) -> None:
    sides = (("inputs", session.get_inputs(), graph.inputs), ("outputs", session.get_outputs(), graph.outputs))
    for side, nodes, tensors in sides:
        found = [(node.name, _TYPES.get(node.type, node.type), tuple(node.shape)) for node in nodes]
        wanted = [(tensor.name, str(tensor.dtype), tensor.axes) for tensor in tensors]
        if len(found) != len(wanted):
            raise ParityError(f"Graph {name} has {len(found)} {side}, its contract {len(wanted)}; no bundle was written.")
        for real, want in zip(found, wanted, strict=True):
            if real != want:
                raise ParityError(f"Graph {name}: of its {side}, {real} should be {want}; no bundle was written.")


def _check_array(name: str, tensor: Tensor, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.dtype != DTYPES[tensor.dtype]:
        raise ParityError(f"Graph {name}, output {tensor.name}: {array.dtype}, not {tensor.dtype}; no bundle was written.")
    if array.shape != shape:
        raise ParityError(f"Graph {name}, output {tensor.name}: shape {array.shape}, not {shape}; no bundle was written.")


@torch.no_grad()
def _expected(module: nn.Module, graph: Graph, inputs: Arrays, found: Arrays) -> Arrays:
    """Return the float32 module's outputs for the same inputs.

    The extractor feeds its own draws back, so one near tie would make all later figures meaningless: its logits are held
    against the whole-patch form along the tokens that the graph drew, its draws against the logits that the graph gave.
    """
    tensors = {name: torch.from_numpy(array if array.dtype != np.float16 else array.astype(np.float32))
               for name, array in inputs.items()}
    if isinstance(module, ExtractorGraph | HeadGraph):
        tokens, logits = torch.from_numpy(found["tokens"]), torch.from_numpy(found["logits"])
        forced = module.forced_logits(tensors["context"], tensors.get("speaker"), tokens, tensors["end_allowed"])
        draws = torch.stack([sample(step, tensors["temperature"], tensors["top_k"], tensors["top_p"], uniform)
                             for step, uniform in zip(logits.unbind(1), tensors["uniforms"].unbind(1), strict=True)], 1)
        return {"tokens": up_to_ties(draws, tokens, logits).numpy(), "logits": forced.numpy()}
    outputs = module(*(tensors[tensor.name] for tensor in graph.inputs))
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    return {tensor.name: output.numpy() for tensor, output in zip(graph.outputs, outputs, strict=True)}


def up_to_ties(draws: torch.Tensor, tokens: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """`draws` int64 [B, k], but `tokens` where both have the same of the logits [B, k, V]: float16 makes equal logits common,
    and libraries rank those in different orders."""
    drawn, found = (logits.gather(-1, ids[..., None])[..., 0] for ids in (draws, tokens))
    return torch.where(drawn == found, tokens, draws)


def _errors(found: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Largest absolute error and the same over the largest value; infinite where one is not finite or masks differ.

    For integers both are the number of values that differ.
    """
    if found.dtype.kind == "i":
        different = float((found != expected).sum())
        return different, different
    found, masked = found.astype(np.float64), expected <= MASKED / 2
    if not np.isfinite(found).all() or not np.array_equal(masked, found <= MASKED / 2):
        return np.inf, np.inf
    difference = np.where(masked, 0, found - expected)
    largest = float(np.abs(difference).max(initial=0))
    scale = float(np.abs(np.where(masked, 0, expected)).max(initial=0))
    return largest, largest / scale if scale else largest
