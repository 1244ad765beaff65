"""ONNX Runtime: what it says about itself, and how its failures read."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
from msgspec.structs import replace

from runtime.backends import create_backend
from runtime.backends.base import Backend
from runtime.bundle.reader import Bundle
from runtime.errors import BackendError
from tests.conftest import sentence_of
from tests.fixtures.tiny_bundle import read, seal

Load = Callable[..., tuple[Bundle, Backend]]


def failure(bundle: Path, provider: str) -> str:
    with pytest.raises(BackendError) as error:
        create_backend(Bundle.open(bundle), provider)
    return sentence_of(error)


def test_provider_is_the_one_really_used(tiny: Path) -> None:
    for provider in ("cpu", "auto"):
        backend = create_backend(Bundle.open(tiny), provider)
        assert backend.provider in onnxruntime.get_available_providers()
        backend.close()


def test_graphs_for_cpus_say_which_version_they_need(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.open(tiny)
    monkeypatch.setattr(onnxruntime, "__version__", "1.21.1")
    create_backend(bundle, "cpu").close()
    with pytest.raises(BackendError, match="or newer") as error:
        create_backend(Bundle(bundle.root, replace(bundle.manifest, cpu=True)), "cpu")
    sentence_of(error)


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="onnxruntime-gpu is installed")
def test_no_cuda_in_the_package(tiny: Path) -> None:
    assert "onnxruntime-gpu" in failure(tiny, "cuda")


@pytest.fixture
def silent_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    """An onnxruntime-gpu on a machine without a GPU: CUDA is listed, and sessions fall back without a word."""
    kept = ("SessionOptions", "RunOptions", "OrtValue", "__version__")
    fake = SimpleNamespace(**{name: getattr(onnxruntime, name) for name in kept})

    def session(path: str, options: Any, providers: list[str], **_: Any) -> Any:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    fake.InferenceSession = session
    fake.get_available_providers = lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    fake.preload_dlls = lambda: print("Failed to load libcublas")
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)


@pytest.mark.usefixtures("silent_fallback")
def test_a_silent_fallback_is_told(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "fell back to CPUExecutionProvider" in failure(tiny, "cuda")
    backend = create_backend(Bundle.open(tiny), "auto")
    assert backend.provider == "CPUExecutionProvider"
    assert capsys.readouterr().out == ""


def test_library_missing(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    importlib.import_module("runtime.backends.onnxruntime")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "install onnxruntime" in failure(tiny, "cpu")


def test_a_file_that_is_no_graph(own_bundle: Path) -> None:
    (own_bundle / "onnx" / "backbone.onnx").write_bytes(b"not a graph")
    seal(own_bundle, read(own_bundle))
    assert "graph backbone" in failure(own_bundle, "cpu")


def test_a_graph_that_fails(own_bundle: Path, tiny_token_level: Path) -> None:
    """A compressor of another patch size passes the contract, as its axes are dynamic; the library's error becomes ours."""
    shutil.copy(tiny_token_level / "onnx" / "compressor.onnx", own_bundle / "onnx")
    seal(own_bundle, read(own_bundle))
    backend = create_backend(Bundle.open(own_bundle), "cpu")
    with pytest.raises(BackendError) as error:
        backend.run("compressor", {"tokens": np.zeros((1, 9), np.int64)}, fetch=("patches",))
    assert "failed in graph compressor" in sentence_of(error)


def test_memory_that_is_not_there(load: Load) -> None:
    _, backend = load()
    with pytest.raises(BackendError) as error:
        backend.allocate((1 << 40, 1 << 20), "float32")
    assert "memory" in sentence_of(error)


def test_inputs_are_read_anew_wherever_they_lie(load: Load) -> None:
    """A session keeps the addresses of its inputs: what is written there counts, and so do another place and another length."""
    _, backend = load()
    tokens, expected = np.zeros((1, 9), np.int64), {}
    for value in (1, 2):
        expected[value] = load()[1].run("compressor", {"tokens": np.full((1, 9), value)}, fetch=("patches",))["patches"]
    assert not np.array_equal(expected[1], expected[2])
    for value in (1, 2, 1):
        tokens[:] = value
        for given in (tokens, tokens.copy()):
            assert np.array_equal(backend.run("compressor", {"tokens": given}, fetch=("patches",))["patches"], expected[value])
    assert backend.run("compressor", {"tokens": np.ones((1, 13), np.int64)}, fetch=("patches",))["patches"].shape[1] == 2


def test_outputs_go_where_each_call_wants_them(load: Load) -> None:
    """A session keeps the addresses of its outputs, too: another place, another output and the first again are written."""
    _, backend = load()
    ids = {value: np.full((1, 3), value) for value in (1, 2)}
    expected = {value: load()[1].run("text_embedding", {"text_ids": ids[value]}, fetch=("inputs_embeds",))["inputs_embeds"]
                for value in ids}
    assert not np.array_equal(expected[1], expected[2])
    places = [backend.allocate((1, 5, 8), "float32") for _ in range(2)]
    for value, place in ((1, places[0]), (2, places[0]), (1, places[1]), (2, places[0])):
        backend.run("text_embedding", {"text_ids": ids[value]}, into={"inputs_embeds": place})
        assert np.array_equal(place.array(), expected[value])
    assert np.array_equal(places[1].array(), expected[1])
    kept = backend.run("text_embedding", {"text_ids": ids[1]}, fetch=("inputs_embeds",))["inputs_embeds"]
    backend.run("text_embedding", {"text_ids": ids[2]}, fetch=("inputs_embeds",))
    assert np.array_equal(kept, expected[1]) and np.array_equal(places[0].array(), expected[2])


def test_no_run_looks_for_what_nobody_said(load: Load) -> None:
    """The library throws and catches an exception where this entry is missing, at 0.1 ms a run."""
    _, backend = load()
    assert backend._run_options.get_run_config_entry("gpu_graph_id") == "0"  # type: ignore[attr-defined]


def test_threads(tiny: Path) -> None:
    backend = create_backend(Bundle.open(tiny), "cpu", threads=3)
    sessions = backend._sessions  # type: ignore[attr-defined]
    assert {session.get_session_options().intra_op_num_threads for session in sessions.values()} == {3}
    backend.close()
    assert not sessions
