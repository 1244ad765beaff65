"""Triton: the repository that is written, its model on a stand-in for Triton's module, and the real server if installed."""

from __future__ import annotations

import importlib.util
import json
import os
import queue
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from runtime import BundleError, Synthesizer
from serving import triton
from tests.conftest import TEXT

PORT = 18475


@pytest.fixture(scope="module")
def repository(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("triton") / "repository"
    triton.write_repository(target, tiny, "cpu", instances=2, threads=1)
    return target


def test_the_bundle_is_copied_or_referred_to(repository: Path, tiny: Path, tmp_path: Path) -> None:
    assert (repository / "speech" / "bundle" / "bundle.json").read_bytes() == (tiny / "bundle.json").read_bytes()
    done = CliRunner().invoke(triton.main, [str(tmp_path / "other"), "--bundle", str(tiny), "--reference"])
    assert done.exit_code == 0 and "tritonserver --model-repository" in done.output
    assert sorted(path.name for path in (tmp_path / "other" / "speech").iterdir()) == ["1", "config.pbtxt"]
    assert json.dumps(str(tiny.resolve())) in (tmp_path / "other" / "speech" / "config.pbtxt").read_text()


def test_no_bundle_no_repository(tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        triton.write_repository(tmp_path / "repository", tmp_path / "missing")
    assert not list(tmp_path.iterdir())


def test_the_configuration_is_triton_s(repository: Path) -> None:
    config = pytest.importorskip("tritonclient.grpc.model_config_pb2", reason="needs tritonclient").ModelConfig()
    pytest.importorskip("google.protobuf.text_format").Parse((repository / "speech" / "config.pbtxt").read_text(), config)
    assert config.backend == "python" and config.model_transaction_policy.decoupled and config.instance_group[0].count == 2
    assert {entry.name: entry.optional for entry in config.input} == {"text": False, "voice": True, "seed": True, "rate": True}


class Sender(list[Any]):
    """Collects what a model sends."""

    def send(self, response: object = None, flags: int = 0) -> None:
        self.append((response, flags))


@pytest.fixture
def model(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The model of the repository, loaded as Triton does, on a stand-in for the module that Triton has."""
    stand_in = ModuleType("triton_python_backend_utils")
    vars(stand_in).update(
        InferenceResponse=lambda tensors=(), error=None: SimpleNamespace(tensors=tensors, error=error),
        Tensor=lambda name, array: (name, array), TritonError=str, TRITONSERVER_RESPONSE_COMPLETE_FINAL=1,
        get_input_tensor_by_name=lambda request, name: request.tensors.get(name))
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    spec = importlib.util.spec_from_file_location("speech_model", repository / "speech" / "1" / "model.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.TritonPythonModel()
    parameters = {"bundle": "bundle", "provider": "cpu", "threads": "1"}
    config = {"parameters": {key: {"string_value": value} for key, value in parameters.items()}}
    made.initialize({"model_config": json.dumps(config), "model_repository": str(repository / "speech")})
    yield made
    made.finalize()


def ask(model: Any, cancelled: bool = False, **values: Any) -> Sender:
    tensors = {name: SimpleNamespace(as_numpy=lambda value=value: np.array([value])) for name, value in values.items()}
    sender = Sender()
    model.execute([SimpleNamespace(tensors=tensors, get_response_sender=lambda: sender, is_cancelled=lambda: cancelled)])
    return sender


def test_a_response_for_each_chunk(model: Any, synthesizer: Synthesizer) -> None:
    sent = ask(model, text=TEXT.encode(), voice=b"bass", seed=3, rate=1.25)
    chunks = [dict(response.tensors) for response, _ in sent[:-1]]
    assert sent[-1] == (None, 1) and len(chunks) > 3 and {int(chunk["sample_rate"][0]) for chunk in chunks} == {8000}
    expected = synthesizer.synthesize(TEXT, voice="bass", seed=3, rate=1.25).samples
    np.testing.assert_array_equal(np.concatenate([chunk["samples"] for chunk in chunks]), expected)


def test_errors_and_cancels(model: Any) -> None:
    sent = ask(model, text=TEXT.encode(), voice=b"tenor")
    assert "alto" in sent[0][0].error and sent[1] == (None, 1)
    assert [flags for _, flags in ask(model, cancelled=True, text=TEXT.encode())] == [1]
    assert len(ask(model, text=TEXT.encode())) > 3  # and the synthesizer is free again


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_real_server(repository: Path, tiny: Path, tmp_path: Path) -> None:
    """Needs nvidia-pytriton, which carries the server, installed in the environment that runs the tests."""
    pytriton = pytest.importorskip("pytriton", reason="needs nvidia-pytriton")
    client_module = pytest.importorskip("tritonclient.grpc", reason="needs tritonclient")
    server = Path(pytriton.__file__).parent / "tritonserver"
    backends = tmp_path / "backends"
    shutil.copytree(server / "backends", backends)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copy(server / "python_backend_stubs" / version / "triton_python_backend_stub", backends / "python")
    # The stub must find the libpython of this very Python: with another patch release's, RLock has no _recursion_count.
    libraries = f"{sys.base_prefix}/lib:{server.parent.parent / 'nvidia_pytriton.libs'}"
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "PATH": f"{sys.prefix}/bin:{os.environ['PATH']}"}
    environment.pop("PYTHONHOME", None)
    process = subprocess.Popen([server / "bin" / "tritonserver", f"--model-repository={repository}",
                                f"--backend-directory={backends}", f"--grpc-port={PORT}", "--allow-http=false",
                                "--allow-metrics=false"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client = client_module.InferenceServerClient(f"127.0.0.1:{PORT}")
        samples = speak_over_grpc(client_module, client, process)
    finally:
        process.terminate()
        process.wait(30)
    with Synthesizer(tiny, provider="cpu", threads=1) as synthesizer:
        np.testing.assert_array_equal(samples, synthesizer.synthesize(TEXT, seed=3).samples)


def speak_over_grpc(grpc: Any, client: Any, process: subprocess.Popen[bytes]) -> np.ndarray:
    ready, deadline = False, time.monotonic() + 120
    while not ready and time.monotonic() < deadline:
        assert process.poll() is None, "tritonserver has ended"
        time.sleep(0.2)
        try:
            ready = client.is_model_ready("speech")
        except Exception:
            ready = False
    answers: queue.Queue[Any] = queue.Queue()
    client.start_stream(lambda result, error: answers.put(error or result))
    text, seed = grpc.InferInput("text", [1], "BYTES"), grpc.InferInput("seed", [1], "INT64")
    text.set_data_from_numpy(np.array([TEXT.encode()], object))
    seed.set_data_from_numpy(np.array([3]))
    client.async_stream_infer("speech", [text, seed], enable_empty_final_response=True)
    chunks: list[np.ndarray] = []
    while True:
        answer = answers.get(timeout=60)
        assert not isinstance(answer, Exception), answer
        if answer.get_response().parameters["triton_final_response"].bool_param:
            break
        chunks.append(answer.as_numpy("samples"))
    client.stop_stream()
    assert len(chunks) > 3
    return np.concatenate(chunks)
