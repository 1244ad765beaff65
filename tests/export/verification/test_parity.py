"""Parity: each kind of difference is found and named."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import pytest
import torch

from export.checkpoints.sources import CheckpointSource
from export.exporter import plan_graphs
from export.verification import parity
from export.verification.parity import check_graph, open_session, up_to_ties
from export.verification.reference import GreedyRun, compare_runs
from runtime.bundle.contract import Graph
from runtime.bundle.reader import Bundle
from runtime.errors import ParityError
from tests.export.tiny import PATCH, Export, fp32_config, tiny


class Doctored:
    """A session whose outputs are changed on their way out."""

    def __init__(self, session: onnxruntime.InferenceSession, output: str, change: object) -> None:
        self._session, self._output, self._change = session, output, change

    def get_inputs(self) -> object:
        return self._session.get_inputs()

    def get_outputs(self) -> object:
        return self._session.get_outputs()

    def run(self, names: list[str], inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        found = self._session.run(names, inputs)
        return [self._change(array) if name == self._output else array for name, array in zip(names, found, strict=True)]  # type: ignore[operator]


def check(exported: Export, checkpoint: Path, name: str, session: object = None, graph: Graph | None = None) -> object:
    bundle = Bundle.open(exported(PATCH).path)
    plans = plan_graphs(CheckpointSource(checkpoint).load(PATCH), fp32_config())
    module = next(plan for plan in plans if plan.name == name).module()
    session = session or open_session(bundle.graph_paths()[name])
    return check_graph(name, session, module, graph or bundle.manifest.graphs[name], bundle.manifest.sizes,  # type: ignore[arg-type]
                       tiny().vocabulary.text, "fp32")


def add(amount: float) -> object:
    return lambda array: array + array.dtype.type(amount)


def poison(array: np.ndarray) -> np.ndarray:
    array.reshape(-1)[0] = np.nan
    return array


def unmask(array: np.ndarray) -> np.ndarray:
    return np.maximum(array, -5)


@pytest.mark.parametrize(("name", "output", "change", "sentence"), [
    ("compressor", "patches", add(0.01), "Graph compressor, output patches: relative error"),
    ("backbone", "present_values", add(0.01), "Graph backbone, output present_values: relative error"),
    ("backbone", "context", poison, "output context: relative error inf"),
    ("extractor", "tokens", add(1), "Graph extractor, output tokens: relative error"),
    ("extractor", "logits", unmask, "Graph extractor, output logits: relative error inf"),
    ("vocoder", "next_state", lambda array: array[:, :-1], r"output next_state: shape .* not"),
    ("vocoder", "waveform", lambda array: array.astype(np.float64), "output waveform: float64, not float32"),
])
def test_differences_are_named(exported: Export, saved_checkpoint: Path, name: str, output: str, change: object,
                               sentence: str) -> None:
    path = exported(PATCH).path / "onnx" / f"{name}.onnx"
    with pytest.raises(ParityError, match=sentence):
        check(exported, saved_checkpoint, name, Doctored(open_session(path), output, change))


def test_the_same_graphs_pass(exported: Export, saved_checkpoint: Path) -> None:
    for name in ("compressor", "backbone", "extractor", "vocoder"):
        check(exported, saved_checkpoint, name)


@pytest.mark.parametrize("field", ["name", "dtype", "axes"])
def test_interfaces_are_held_to_the_contract(exported: Export, saved_checkpoint: Path, field: str) -> None:
    graph = Bundle.open(exported(PATCH).path).manifest.graphs["backbone"]
    value = {"name": "places", "dtype": "int64", "axes": ("batch", 4)}[field]
    changed = msgspec.structs.replace(graph.inputs[1], **{field: value})
    wrong = Graph((graph.inputs[0], changed, *graph.inputs[2:]), graph.outputs)
    with pytest.raises(ParityError, match="Graph backbone: of its inputs"):
        check(exported, saved_checkpoint, "backbone", graph=wrong)


def test_errors_are_relative_to_the_largest_value() -> None:
    assert parity._errors(np.array([4.0, 1.0]), np.array([4.0, 1.5])) == (0.5, 0.125)
    assert parity._errors(np.array([1, 2]), np.array([1, 3])) == (1.0, 1.0)
    masked = np.array([-1e9, 2.0], np.float32)
    assert parity._errors(masked, masked + np.array([0, 1], np.float32))[0] == 1.0, "the mask's size must not hide an error"


def test_first_differing_step_is_named() -> None:
    runs = [GreedyRun([1, 2, 3], [1.0] * 4), GreedyRun([4, 5, 6], [1.0, 1.0, 1e-6, 1.0])]
    assert compare_runs(runs, [[1, 2, 3], [4, 5, 6]], strict=True) == (2, 0)
    assert compare_runs(runs, [[1, 2, 3], [4, 5, 9]], strict=True) == (1, 1)
    assert compare_runs(runs, [[9, 2, 3], [4, 5, 6]], strict=False) == (1, 0)
    with pytest.raises(ParityError, match="utterance 1 differs first at step 2: PyTorch draws 3, the exported loop the end"):
        compare_runs(runs, [[1, 2], [4, 5, 6]], strict=True)
    with pytest.raises(ParityError, match="utterance 2 differs first at step 1: PyTorch draws 5, the exported loop 7"):
        compare_runs(runs, [[1, 2, 3], [4, 7, 6]], strict=True)


def test_draws_are_equal_up_to_ties_only() -> None:
    logits = torch.tensor([[[1.0, 2.0, 2.0, 0.0]]])
    drawn = torch.tensor([[1]])
    assert up_to_ties(drawn, torch.tensor([[2]]), logits).tolist() == [[2]]
    assert up_to_ties(drawn, torch.tensor([[0]]), logits).tolist() == [[1]]
