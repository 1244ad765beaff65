"""Check FP16 ranges and errors, and keep failing nodes in float32.

A float16 graph is run twice on recorded calls: in float32, where every value shows its true size, and rounded as a GPU
rounds. Nodes that touch a value beyond `LIMIT` are kept in float32, with everything that such values flow through; if the
result is still off, the first node that spoils it is found by bisection and kept too, until it is right.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from engines.calibration import Arrays, Call, record
from engines.comparison import HALF_TOLERANCE, errors
from engines.fp16.bisection import keep_bad
from engines.fp16.fp16_graph import computed_wide, half_nodes, half_values, load_graph, save_graph, wide_ending, with_magnitudes
from runtime.backends.library import load_onnxruntime
from runtime.bundle.manifest import HalfRange, KeptNode
from runtime.bundle.reader import Bundle
from runtime.errors import ParityError

onnxruntime = load_onnxruntime()

LIMIT = 6e4
"""Largest magnitude that a float16 value may have; the type ends at 65,504."""
MAX_KEPT = 64
"""Nodes that may be kept by bisection: beyond that, the graph is no float16 graph."""


def secure(name: str, path: Path, calls: Sequence[Call], threads: int = 0, tolerance: float = HALF_TOLERANCE) -> HalfRange:
    """Check one graph on recorded calls, and rewrite its file where nodes must stay float32.

    Args:
        name: the graph's name, for messages.
        path: its file; weights beside it stay as they are.
        calls: recorded inputs.
        threads: of ONNX Runtime; 0 lets it choose.
        tolerance: relative error that is allowed.

    Returns:
        What was found, for the manifest.

    Raises:
        ParityError: an input or output of the graph leaves float16's range, or no small set of float32 nodes suffices.
    """
    model = load_graph(path)
    half = half_values(model)
    nodes = half_nodes(model, half)
    if not nodes or not calls:
        return HalfRange(name, 0, 0.0, "", 0.0, ())
    proof = _Proof(path, model, half, calls, threads)
    sizes, wanted = proof.in_float()
    kept = _out_of_range(name, model, nodes, sizes)
    error = keep_bad([node.name for node in nodes], kept, lambda wide: proof.error(wide, wanted), tolerance,
                     MAX_KEPT + len(nodes) // 4, "first node whose rounding makes the error {error:.1e}")
    if error > tolerance:
        raise ParityError(f"Graph {name} does not hold in float16: its error is {error:.1e}, and keeping {len(kept)} nodes "
                          "in float32 does not mend it; export with --fp32.")
    if kept:
        save_graph(computed_wide(model, half, kept), path)
    largest = max(sizes, key=lambda value: sizes[value], default="")
    listed = tuple(KeptNode(node.name, node.op_type, kept[node.name], _size(node, sizes))
                   for node in nodes if node.name in kept)
    return HalfRange(name, len(nodes) - len(listed), sizes.get(largest, 0.0), _maker(model, largest), error, listed)


def secure_bundle(bundle: Bundle) -> tuple[HalfRange, ...]:
    """Apply `secure` to every graph of a new bundle, on calls recorded while it speaks."""
    calls = record(bundle)
    return tuple(secure(name, path, [call for call in calls if call.graph == name])
                 for name, path in bundle.graph_paths().items())


class _Proof:
    """Runs variants of one graph on its recorded calls."""

    def __init__(self, path: Path, model: onnx.ModelProto, half: set[str], calls: Sequence[Call], threads: int) -> None:
        self._path, self._model, self._half = path, model, half
        self._calls, self._threads = calls, threads
        self._outputs = [output.name for output in model.graph.output]

    def in_float(self) -> tuple[dict[str, float], list[Arrays]]:
        """With all nodes in float32: the largest magnitude of every float16 value, and the outputs of every call."""
        every = {node.name for node in self._model.graph.node}
        made = {name for node in self._model.graph.node for name in (*node.input, *node.output)}
        weights = {tensor.name for tensor in self._model.graph.initializer}
        twin = computed_wide(self._model, self._half, every, emulate=True)
        values = sorted((self._half & made) - weights)
        ending = wide_ending(self._model)
        measured, names = with_magnitudes(twin, [value + ending for value in values])
        largest, outputs = np.zeros(len(values)), []
        with self._session(measured) as session:
            for call in self._calls:
                results = session.run([*self._outputs, *names], call.inputs)
                outputs.append(dict(zip(self._outputs, results, strict=False)))
                largest = np.fmax(largest, np.array(results[len(self._outputs):], np.float64))
        return dict(zip(values, largest.tolist(), strict=True)), outputs

    def error(self, kept: Collection[str], wanted: Sequence[Arrays]) -> float:
        """The largest relative error with the nodes in `kept` in float32 and all others rounded; infinite for a NaN."""
        worst = 0.0
        with self._session(computed_wide(self._model, self._half, kept, emulate=True)) as session:
            for call, reference in zip(self._calls, wanted, strict=True):
                found = dict(zip(self._outputs, session.run(self._outputs, call.inputs), strict=True))
                worst = max([worst, *(relative for _, relative in errors(found, reference).values())])
                if worst == np.inf:
                    return worst
        return worst

    @contextmanager
    def _session(self, model: onnx.ModelProto) -> Iterator[Any]:
        """A session on a variant, which must be beside the weights while it loads."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = self._threads
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.add_session_config_entry("session.disable_prepacking", "1")  # each session runs a few times only
        variant = self._path.with_name(f".{self._path.name}.variant")
        try:
            variant.write_bytes(model.SerializeToString())
            session = onnxruntime.InferenceSession(str(variant), options, providers=["CPUExecutionProvider"])
        finally:
            variant.unlink(missing_ok=True)
        yield session


def _out_of_range(name: str, model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto],
                  sizes: Mapping[str, float]) -> dict[str, str]:
    """Nodes that touch a value beyond `LIMIT`, with the reason."""
    beyond = {value: size for value, size in sizes.items() if not size < LIMIT}
    outer = {tensor.name for tensor in (*model.graph.input, *model.graph.output)}
    for value in sorted(beyond.keys() & outer):
        raise ParityError(f"Graph {name} cannot be float16: its {value} reaches {beyond[value]:.3g}, and float16 ends at "
                          "65504; export with --fp32.")
    kept = {}
    for node in nodes:
        makes = [beyond[value] for value in node.output if value in beyond]
        takes = [beyond[value] for value in node.input if value in beyond]
        if makes:
            kept[node.name] = f"gives {max(makes):.3g}"
        elif takes:
            kept[node.name] = f"takes {max(takes):.3g}"
    return kept


def _maker(model: onnx.ModelProto, value: str) -> str:
    """The node that gives a value; the value itself where it is an input."""
    return next((node.name for node in model.graph.node if value in node.output), value)


def _size(node: onnx.NodeProto, sizes: Mapping[str, float]) -> float:
    return max((sizes[value] for value in (*node.input, *node.output) if value in sizes), default=0.0)
