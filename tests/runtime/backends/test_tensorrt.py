"""The TensorRT backend on a fake device: the same tokens and samples as on the CPU, what crosses to the host, and refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from runtime import Synthesizer
from runtime.backends import create_backend
from runtime.backends.base import Backend
from runtime.bundle.reader import Bundle
from runtime.decoding.decoder import Decoder
from runtime.decoding.sequence import LengthLimits
from runtime.errors import BackendError, BundleError, Cancelled
from runtime.options import SamplingOptions
from tests.conftest import TEXT, sentence_of
from tests.fixtures import tiny_bundle
from tests.fixtures.devices import VERSIONS, Machine, install
from tests.fixtures.fake_cuda import Status


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return install(monkeypatch)


@pytest.fixture
def ready(machine: Machine, own_bundle: Path) -> Path:
    """A bundle with engines for the machine."""
    machine.build(own_bundle)
    return own_bundle


def refusal(bundle: Path) -> str:
    with pytest.raises(BackendError) as error:
        create_backend(Bundle.open(bundle), "tensorrt")
    return sentence_of(error)


def tokens(backend: Backend, bundle: Bundle, ids: list[int], patches: int = 12, voice: str = "prompted") -> list[int]:
    decoder = Decoder(bundle.manifest, backend)
    steps = decoder.decode(ids, bundle.voice(voice), SamplingOptions(), np.random.default_rng(5), lambda: False,
                           LengthLimits(10**6, patches, watch=False))
    return [int(token) for part in steps for token in part]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("precision", "joint"), [("fp32", False), ("fp16", False), ("fp16", True)])
def test_tokens_equal_those_of_the_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, precision: str,
                                       joint: bool) -> None:
    machine = install(monkeypatch, version)
    path = tiny_bundle.build(tmp_path / "bundle", precision=precision)  # type: ignore[arg-type]
    machine.build(path, joint=joint)
    bundle = Bundle.open(path)
    engines, cpu = create_backend(bundle, "tensorrt"), create_backend(bundle, "cpu", 1)
    assert engines.provider == f"TensorRT {version}.0 (sm87)"
    for ids in ([1, 2, 3], [4] * 30):  # the second utterance finds the first one's cache
        assert tokens(engines, bundle, ids) == tokens(cpu, bundle, ids)


def test_samples_equal_those_of_the_cpu(ready: Path) -> None:
    with Synthesizer(ready, provider="tensorrt") as engines, Synthesizer(ready, provider="cpu") as cpu:
        made, wanted = (each.synthesize(TEXT, seed=3) for each in (engines, cpu))
    np.testing.assert_array_equal(made.samples, wanted.samples)
    assert made.stats.provider == "TensorRT 10.3.0 (sm87)" and len(made.samples) > 10_000


def test_auto_takes_engines_where_they_are(ready: Path, machine: Machine) -> None:
    with Synthesizer(ready) as auto:
        assert auto.provider == "TensorRT 10.3.0 (sm87)"
    machine.cuda.devices = 0
    with Synthesizer(ready) as auto:
        assert auto.provider == "CPUExecutionProvider"


def test_a_patch_brings_only_its_tokens_to_the_host(ready: Path, machine: Machine) -> None:
    """k token ids back a patch, one wait a patch, and no allocation after the first patches."""
    bundle = Bundle.open(ready)
    backend = create_backend(bundle, "tensorrt")
    tokens(backend, bundle, [1, 2, 3], patches=3)
    fetched: list[int] = []
    real = machine.cuda.cudaMemcpyAsync

    def watched(target: int, source: int, nbytes: int, kind: int, stream: int) -> tuple[object, ...]:
        fetched.extend([nbytes] if kind == 2 else [])
        return real(target, source, nbytes, kind, stream)

    decoder = Decoder(bundle.manifest, backend)
    machine.cuda.cudaMemcpyAsync = watched  # type: ignore[method-assign]
    voice, options = bundle.voice("alto"), SamplingOptions()
    steps = decoder.decode([1, 2, 3], voice, options, np.random.default_rng(0), lambda: False, LengthLimits(10**6, 12,
                                                                                                            watch=False))
    next(steps)
    next(steps)
    allocated, waited = machine.cuda.counts["malloc"], machine.cuda.counts["synchronize"]
    fetched.clear()
    for _ in range(8):
        next(steps)
    assert machine.cuda.counts["malloc"] == allocated
    assert machine.cuda.counts["synchronize"] == waited + 8
    assert set(fetched) <= {4 * 8}, "anything but k int64 tokens came back"


def test_fixed_shapes_are_recorded_once_and_launched(ready: Path, machine: Machine) -> None:
    bundle = Bundle.open(ready)
    backend = create_backend(bundle, "tensorrt")
    first = tokens(backend, bundle, [1, 2, 3], patches=20, voice="alto")
    recorded, kernels = machine.cuda.counts["graphs"], machine.cuda.counts["kernels"]
    assert recorded == 3, "the compressor's step, the extractor, and the backbone's first bucket of 64 positions"
    assert tokens(backend, bundle, [1, 2, 3], patches=20, voice="alto") == first
    assert machine.cuda.counts["graphs"] <= 2 * recorded + 1  # the second decoder has a cache of its own; the same text again
    assert machine.cuda.counts["launches"] > 80
    assert machine.cuda.counts["kernels"] - kernels < 12


def test_buckets_of_the_past_do_not_show(ready: Path, machine: Machine) -> None:
    """100 patches run through the buckets of 64 and 128 positions."""
    bundle = Bundle.open(ready)
    ids = [3] * 40
    assert tokens(create_backend(bundle, "tensorrt"), bundle, ids, patches=90) == \
        tokens(create_backend(bundle, "cpu", 1), bundle, ids, patches=90)
    assert machine.cuda.counts["graphs"] >= 4


def test_what_cannot_be_recorded_runs_call_by_call(ready: Path, machine: Machine) -> None:
    machine.cuda.capture_allowed = False
    bundle = Bundle.open(ready)
    wanted = tokens(create_backend(bundle, "cpu", 1), bundle, [5, 6])
    assert tokens(create_backend(bundle, "tensorrt"), bundle, [5, 6]) == wanted
    assert "launches" not in machine.cuda.counts


def test_closing_gives_everything_back(ready: Path, machine: Machine) -> None:
    with Synthesizer(ready, provider="tensorrt") as synthesizer:
        synthesizer.synthesize(TEXT)
        assert machine.cuda.allocations and machine.cuda.pinned
    assert not machine.cuda.allocations and not machine.cuda.pinned and not machine.cuda.streams


def test_closing_twice(ready: Path, machine: Machine) -> None:
    """The fake device refuses to destroy a stream twice; a context also ends before the work that uses it is done."""
    backend = create_backend(Bundle.open(ready), "tensorrt")
    backend.run("text_embedding", {"text_ids": np.ones((1, 3), np.int64)}, fetch=("inputs_embeds",))
    backend.close()
    backend.close()
    with Synthesizer(ready, provider="tensorrt") as synthesizer:
        synthesizer.synthesize(TEXT)
        synthesizer.close()


def test_a_graph_that_breaks_its_contract_closes_once(ready: Path, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.backends.base._difference", lambda *graphs: "it has other inputs")
    with pytest.raises(BundleError, match="other inputs"):
        create_backend(Bundle.open(ready), "tensorrt")
    assert not machine.cuda.streams


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_spoiled_cache_does_not_outlive_its_utterance(machine: Machine, tmp_path: Path, precision: str) -> None:
    """A past is passed up to the end of its bucket of 64: a NaN in a masked position would spoil every sum."""
    path = tiny_bundle.build(tmp_path / "bundle", precision=precision)  # type: ignore[arg-type]
    machine.build(path)
    bundle = Bundle.open(path)
    backend = create_backend(bundle, "tensorrt")
    decoder = Decoder(bundle.manifest, backend)
    voice, options = bundle.voice("alto"), SamplingOptions()

    def spoken() -> list[int]:
        steps = decoder.decode([1, 2, 3], voice, options, np.random.default_rng(5), lambda: False,
                               LengthLimits(10**6, 12, watch=False))
        return [int(token) for part in steps for token in part]

    wanted = spoken()
    for memory in decoder.cache.memory:
        machine.cuda.write(memory.pointer, b"\xff" * memory.nbytes)  # NaN in either precision
    assert spoken() == wanted


def test_a_destroyed_context_is_reported(ready: Path, machine: Machine) -> None:
    """After a sticky error only a new process can use the device: the synthesizer says so to supervisors."""
    with Synthesizer(ready, provider="tensorrt") as synthesizer:
        assert synthesizer.fault is None
        machine.cuda.device_failure = Status.cudaErrorLaunchFailure
        with pytest.raises(BackendError, match="restart the program"):
            synthesizer.synthesize(TEXT)
        assert synthesizer.fault is not None and "cudaErrorLaunchFailure" in synthesizer.fault


def test_auto_goes_on_where_bindings_raise(ready: Path, machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "runtime")
    machine.tensorrt.fail_runtime = True
    with Synthesizer(ready) as auto:
        assert auto.provider == "CPUExecutionProvider"
    assert "does not fit the driver" in caplog.text
    machine.tensorrt.fail_runtime, machine.cuda.no_library = False, True
    with Synthesizer(ready) as auto:
        assert auto.provider == "CPUExecutionProvider"
    assert "Failed to dlopen libcuda.so.1" in caplog.text


# -- refusals: one clear sentence each


def test_no_driver(ready: Path, machine: Machine) -> None:
    machine.cuda.driver = Status.cudaErrorInsufficientDriver
    assert "no NVIDIA driver or GPU" in refusal(ready)
    machine.cuda.driver, machine.cuda.devices = Status.cudaSuccess, 0
    assert "no NVIDIA driver or GPU" in refusal(ready)


def test_no_engines(own_bundle: Path, machine: Machine) -> None:
    assert f"holds no tensorrt engines; build them with `tldr-engines {own_bundle} --kind tensorrt`" in refusal(own_bundle)


def test_wrong_sm(ready: Path, machine: Machine) -> None:
    machine.cuda.capability = {"major": 8, "minor": 6}
    said = refusal(ready)
    assert "for SM 8.7 under 10.3.0, this machine has SM 8.6 under 10.3.0" in said and "tldr-engines" in said


@pytest.mark.parametrize(("version", "runs"), [("10.16", True), ("11.4", True), ("10.3", True)])
def test_wrong_version(own_bundle: Path, monkeypatch: pytest.MonkeyPatch, version: str, runs: bool) -> None:
    install(monkeypatch).build(own_bundle)
    install(monkeypatch, version).tensorrt.__version__ = f"{version}.7"
    said = refusal(own_bundle)
    assert f"for SM 8.7 under 10.3.0, this machine has SM 8.7 under {version}.7" in said
    install(monkeypatch).build(own_bundle, version_compatible=True)
    install(monkeypatch, version)
    assert (create_backend(Bundle.open(own_bundle), "tensorrt").provider == f"TensorRT {version}.0 (sm87)") is runs


def test_engine_of_another_bundle(ready: Path, machine: Machine, tmp_path: Path) -> None:
    other = tiny_bundle.build(tmp_path / "other", scripts=[tiny_bundle.LOOP])
    (ready / "engines").rename(other / "engines")
    assert "graph extractor was built from another graph than this bundle's" in refusal(other)


def engine_file(bundle: Path, graph: str = "backbone") -> Path:
    found, = bundle.glob(f"engines/*/{graph}.engine")
    return found


@pytest.mark.parametrize(("damage", "words"), [
    (lambda data: data[:len(data) // 2], "is truncated or was changed: it has"),
    (lambda data: b"", "is truncated or was changed: it has 0 bytes"),
    (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "is corrupt: its sha256"),
])
def test_damaged_engine(ready: Path, damage: Callable[[bytes], bytes], words: str) -> None:
    path = engine_file(ready)
    path.write_bytes(damage(path.read_bytes()))
    said = refusal(ready)
    assert words in said and "tldr-engines" in said


def test_missing_engine(ready: Path) -> None:
    engine_file(ready).unlink()
    assert "backbone.engine is missing" in refusal(ready)


def test_an_engine_that_the_library_refuses(ready: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    monkeypatch.setattr(machine.tensorrt, "plan", lambda data: None)
    said = refusal(ready)
    assert "does not load the engine of graph text_embedding (Serialization assertion" in said and "build it again" in said


def test_out_of_gpu_memory_while_an_engine_loads(ready: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine) -> None:
    real = machine.tensorrt.Runtime.deserialize_cuda_engine

    def refusing(self: object, serialized_engine: bytes) -> None:
        self._logger.log(machine.tensorrt.ILogger.ERROR, "Error Code 2: OutOfMemory (Requested size was 728 bytes.)")  # type: ignore[attr-defined]

    monkeypatch.setattr(machine.tensorrt.Runtime, "deserialize_cuda_engine", refusing)
    assert "there is not enough GPU memory; close other programs" in refusal(ready)
    monkeypatch.setattr(machine.tensorrt.Runtime, "deserialize_cuda_engine", real)


def test_cancelled_between_two_launches(ready: Path, machine: Machine) -> None:
    """No library call stops a running engine, and none takes long: an abort ends the patch at its next launch."""
    bundle = Bundle.open(ready)
    backend = create_backend(bundle, "tensorrt")
    wanted = tokens(backend, bundle, [1, 2, 3])
    launched: list[str] = []
    real = backend._execute

    def watched(name: str, *arguments: object) -> None:
        launched.append(name)
        real(name, *arguments)  # type: ignore[arg-type]
        if len(launched) == 5:
            backend.abort()  # as another thread would, while this graph runs

    backend._execute = watched  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        tokens(backend, bundle, [1, 2, 3])
    assert len(launched) == 5, "nothing was launched after the abort"
    with pytest.raises(Cancelled):
        backend.run("text_embedding", {"text_ids": np.ones((1, 3), np.int64)}, fetch=("inputs_embeds",))
    backend.record_into({})
    assert tokens(backend, bundle, [1, 2, 3]) == wanted


def test_out_of_gpu_memory(ready: Path, machine: Machine) -> None:
    backend = create_backend(Bundle.open(ready), "tensorrt")
    with pytest.raises(BackendError) as error:
        backend.allocate((1 << 20, 1 << 20), "float32")
    said = sentence_of(error)
    assert "not enough GPU memory for 4398046.5 MB" in said and "--max-seconds" in said
    machine.cuda.memory = 1000
    with pytest.raises(BackendError, match="not enough GPU memory"):
        Synthesizer(ready, provider="tensorrt")


def test_a_failure_on_the_device(ready: Path, machine: Machine) -> None:
    backend = create_backend(Bundle.open(ready), "tensorrt")
    machine.cuda.device_failure = Status.cudaErrorLaunchFailure
    with pytest.raises(BackendError) as error:
        backend.run("text_embedding", {"text_ids": np.ones((1, 3), np.int64)}, fetch=("inputs_embeds",))
    assert "The GPU failed in cuda" in sentence_of(error) and "cudaErrorLaunchFailure happened" in str(error.value)


def test_a_failure_of_the_engine(ready: Path, machine: Machine) -> None:
    backend = create_backend(Bundle.open(ready), "tensorrt")
    machine.tensorrt.fail_execute = "no"
    with pytest.raises(BackendError) as error:
        backend.run("text_embedding", {"text_ids": np.ones((1, 3), np.int64)}, fetch=("inputs_embeds",))
    assert "failed in graph text_embedding" in sentence_of(error)


def test_beyond_what_was_built_for(ready: Path) -> None:
    backend = create_backend(Bundle.open(ready), "tensorrt")
    with pytest.raises(BackendError) as error:
        backend.run("text_embedding", {"text_ids": np.ones((1, 65), np.int64)}, fetch=("inputs_embeds",))
    assert "was not built for text_ids (1, 65)" in sentence_of(error)


def test_packages_missing(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.setitem(sys.modules, "tensorrt", None)
    assert "needs the package tensorrt: it is part of JetPack" in refusal(ready)
    monkeypatch.undo()
    install(monkeypatch)
    found = importlib.import_module

    def without_cuda(name: str, package: str | None = None) -> object:
        if name == "cuda.bindings.runtime":
            raise ImportError("no cuda here")
        return found(name, package)

    monkeypatch.setattr(importlib, "import_module", without_cuda)
    assert "pip install cuda-bindings" in refusal(ready)
