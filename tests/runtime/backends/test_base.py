"""What the base of all backends refuses, and what it counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runtime.backends import AUTOMATIC, CHOICES, create_backend
from runtime.backends.base import Backend, Memory
from runtime.bundle.reader import Bundle
from runtime.errors import BackendError, BundleError, OptionError
from tests.conftest import sentence_of
from tests.fixtures import tiny_bundle as tiny_graphs
from tests.fixtures.tiny_bundle import seal

Load = Callable[..., tuple[Bundle, Backend]]
IDS = np.ones((1, 3), np.int64)


def failure(backend: Backend, graph: str, inputs: dict[str, np.ndarray | Memory], into: dict[str, Memory] | None = None) -> str:
    with pytest.raises(BackendError) as error:
        backend.run(graph, inputs, into)
    return sentence_of(error)


def test_runs_and_times(load: Load) -> None:
    _, backend = load()
    seconds: dict[str, float] = {}
    backend.record_into(seconds)
    out = backend.run("text_embedding", {"text_ids": IDS}, fetch=("inputs_embeds",))
    assert out["inputs_embeds"].shape == (1, 5, 8) and set(seconds) == {"text_embedding"} and seconds["text_embedding"] > 0
    first = seconds["text_embedding"]
    backend.run("text_embedding", {"text_ids": IDS}, fetch=("inputs_embeds",))
    assert seconds["text_embedding"] > first


def test_only_what_is_asked_for_comes_back(load: Load) -> None:
    _, backend = load()
    inputs: dict[str, np.ndarray | Memory] = {
        "context": np.zeros((1, 8), np.float32), "speaker": np.zeros((1, 3), np.float32),
        "temperature": np.ones(1, np.float32), "top_k": np.ones(1, np.int64), "top_p": np.ones(1, np.float32),
        "uniforms": np.zeros((1, 4), np.float32), "end_allowed": np.ones(1, np.bool_),
    }
    assert set(backend.run("extractor", inputs, fetch=("tokens",))) == {"tokens"}
    assert backend.run("extractor", inputs, fetch=("logits",))["logits"].shape == (1, 4, tiny_graphs.VOCABULARY)


def test_inputs_are_held_against_the_contract(load: Load) -> None:
    _, backend = load()
    assert "text_ids" in failure(backend, "text_embedding", {"ids": IDS})
    assert "expected int64" in failure(backend, "text_embedding", {"text_ids": IDS.astype(np.float32)})
    assert "int8" in failure(backend, "text_embedding", {"text_ids": IDS.astype(np.int8)})
    assert "axes" in failure(backend, "text_embedding", {"text_ids": IDS[0]})
    assert "shape" in failure(backend, "compressor", {"tokens": IDS})


def test_a_call_of_known_shapes_lets_no_other_one_pass(load: Load) -> None:
    _, backend = load()
    for _ in range(2):
        backend.run("text_embedding", {"text_ids": IDS}, fetch=("inputs_embeds",))
    assert "expected int64" in failure(backend, "text_embedding", {"text_ids": IDS.astype(np.float32)})
    assert "axes" in failure(backend, "text_embedding", {"text_ids": IDS[0]})
    short = backend.allocate((1, 4, 8), "float32")
    assert "inputs_embeds" in failure(backend, "text_embedding", {"text_ids": IDS}, {"inputs_embeds": short})
    longer = backend.run("text_embedding", {"text_ids": np.ones((1, 4), np.int64)}, fetch=("inputs_embeds",))["inputs_embeds"]
    assert longer.shape == (1, 6, 8)


def test_outputs_in_place_are_held_against_the_contract(load: Load) -> None:
    _, backend = load()
    short = backend.allocate((1, 4, 8), "float32")
    assert "inputs_embeds" in failure(backend, "text_embedding", {"text_ids": IDS}, {"inputs_embeds": short})
    half = backend.allocate((1, 5, 8), "float16")
    assert "expected float32" in failure(backend, "text_embedding", {"text_ids": IDS}, {"inputs_embeds": half})


def test_writes_in_place(load: Load) -> None:
    _, backend = load()
    memory = backend.allocate((1, 5, 8), "float32")
    expected = backend.run("text_embedding", {"text_ids": IDS}, fetch=("inputs_embeds",))["inputs_embeds"]
    assert backend.run("text_embedding", {"text_ids": IDS}, into={"inputs_embeds": memory}) == {}
    np.testing.assert_array_equal(np.asarray(memory.owner), expected)


def test_closed(load: Load) -> None:
    _, backend = load()
    backend.close()
    assert "closed" in failure(backend, "text_embedding", {"text_ids": IDS})


@pytest.mark.parametrize(("other", "graph", "part"), [
    ({"patch": 1}, "extractor", "speaker"), ({"patch": 6}, "extractor", "6"), ({"precision": "fp16"}, "backbone", "float16"),
])
def test_a_graph_of_another_bundle_is_refused(own_bundle: Path, tmp_path: Path, other: dict[str, object], graph: str,
                                              part: str) -> None:
    """Hashes fit, names fit, but the graph is of another patch size or precision."""
    foreign = tiny_graphs.build(tmp_path / "foreign", **other)  # type: ignore[arg-type]
    name = f"onnx/{graph}.onnx"
    (own_bundle / name).write_bytes((foreign / name).read_bytes())
    seal(own_bundle, tiny_graphs.read(own_bundle))
    with pytest.raises(BundleError) as error:
        create_backend(Bundle.open(own_bundle), "cpu")
    assert graph in sentence_of(error) and part in str(error.value)


def test_choices() -> None:
    assert CHOICES == ("auto", "cpu", "cuda", "tensorrt", "tensorrt-rtx", "tensorrt-onnxruntime")
    assert AUTOMATIC[-1] == "cpu" and "tensorrt-onnxruntime" not in AUTOMATIC


@pytest.mark.parametrize(("provider", "threads"), [("tpu", None), ("cpu", 0), ("cpu", 10**6), ("cpu", True)])
def test_bad_options(tiny: Path, provider: str, threads: int | None) -> None:
    with pytest.raises(OptionError) as error:
        create_backend(Bundle.open(tiny), provider, threads)
    sentence_of(error)


@pytest.mark.parametrize("provider", ["tensorrt", "tensorrt-rtx"])
def test_a_backend_that_is_not_there(tiny: Path, provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("runtime.backends").backends.PROVIDERS, provider, ".not_there")
    with pytest.raises(BackendError) as error:
        create_backend(Bundle.open(tiny), provider)
    assert provider in sentence_of(error)


def test_a_backend_whose_library_is_not_there(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: str) -> None:
        raise ModuleNotFoundError("No module named 'tensorrt'", name="tensorrt")

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(BackendError) as error:
        create_backend(Bundle.open(tiny), "tensorrt")
    assert "needs the package tensorrt" in sentence_of(error)
