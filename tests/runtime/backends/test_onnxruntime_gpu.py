"""ONNX Runtime's CUDA and TensorRT providers on a fake GPU: the CPU's tokens, and nothing but tokens comes back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from runtime.backends import create_backend
from runtime.backends.base import Backend
from runtime.backends.onnxruntime import ON_CUDA
from runtime.backends.onnxruntime_tensorrt import engine_cache, provider_options
from runtime.bundle.profiles import graph_profiles
from runtime.bundle.reader import Bundle
from runtime.decoding.decoder import Decoder
from runtime.decoding.sequence import LengthLimits
from runtime.errors import BackendError
from runtime.options import SamplingOptions
from tests.conftest import sentence_of
from tests.fixtures import gpu_onnxruntime, tiny_bundle

PROVIDERS = ("cuda", "tensorrt-onnxruntime")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def tokens(backend: Backend, bundle: Bundle, ids: list[int], patches: int = 12) -> list[int]:
    steps = Decoder(bundle.manifest, backend).decode(ids, bundle.voice("prompted"), SamplingOptions(), np.random.default_rng(5),
                                                     lambda: False, LengthLimits(10**6, patches, watch=False))
    return [int(token) for part in steps for token in part]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_tokens_equal_those_of_the_cpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: str, precision: str) -> None:
    bundle = Bundle.open(tiny_bundle.build(tmp_path / "bundle", precision=precision))  # type: ignore[arg-type]
    cpu = create_backend(bundle, "cpu", 1)
    wanted = [tokens(cpu, bundle, ids) for ids in ([1, 2, 3], [4] * 30)]
    gpu_onnxruntime.install(monkeypatch)
    backend = create_backend(bundle, provider, 1)
    assert backend.provider == {"cuda": "CUDAExecutionProvider"}.get(provider, "TensorrtExecutionProvider")
    assert [tokens(backend, bundle, ids) for ids in ([1, 2, 3], [4] * 30)] == wanted


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_patch_brings_only_its_tokens_to_the_host(tiny: Path, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    """Cache, contexts and patches lie on the device, allocated before the first patch; the binding refuses anything else."""
    gpu = gpu_onnxruntime.install(monkeypatch)
    bundle = Bundle.open(tiny)
    decoder = Decoder(bundle.manifest, create_backend(bundle, provider))
    steps = decoder.decode([1, 2, 3], bundle.voice("prompted"), SamplingOptions(), np.random.default_rng(0), lambda: False,
                           LengthLimits(10**6, 12, watch=False))
    next(steps)
    allocated = dict(gpu.device)
    gpu.crossings.clear()
    for _ in range(8):
        next(steps)
    assert gpu.device == allocated
    back = [(name, nbytes) for side, name, nbytes in gpu.crossings if side == "output"]
    assert back == 8 * [("tokens", 8 * bundle.manifest.sizes.patch)]
    into = {name for side, name, _ in gpu.crossings if side == "input"}
    assert not into & {"past_keys", "past_values", "inputs_embeds", "context"}


def test_what_the_tensorrt_provider_is_asked_for(tiny: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    gpu = gpu_onnxruntime.install(monkeypatch)
    bundle = Bundle.open(tiny)
    create_backend(bundle, "tensorrt-onnxruntime").close()
    assert len(gpu.asked) == len(bundle.manifest.graphs)
    for graph, ((name, options), *others) in zip(bundle.manifest.graphs, gpu.asked, strict=True):
        assert name == "TensorrtExecutionProvider" and others == [ON_CUDA, "CPUExecutionProvider"]
        folder = engine_cache(bundle, graph, onnxruntime.__version__)
        assert folder.is_dir() and folder.is_relative_to(own_home) and options["trt_engine_cache_path"] == str(folder)
        profiles = graph_profiles(graph, bundle.manifest.graphs[graph], bundle.manifest, joint=True)
        assert len(profiles) == 1, "its execution context stays on the first profile"
        inputs = [tensor.name for tensor in bundle.manifest.graphs[graph].inputs]
        for bound in ("min", "opt", "max"):
            named = [part.partition(":")[0] for part in options[f"trt_profile_{bound}_shapes"].split(",")]
            assert named == inputs * len(profiles)
        assert not [key for key in options if "fp16" in key], "precision is the graph's"
    past = dict(part.split(":") for part in gpu.asked[2][0][1]["trt_profile_max_shapes"].split(","))  # the last one of a name
    profile, = graph_profiles("backbone", bundle.manifest.graphs["backbone"], bundle.manifest, joint=True)
    largest = profile.shapes["past_keys"].largest
    assert past["past_keys"] == "x".join(map(str, largest))


def test_products_are_computed_in_float32(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TF32 products err by about 3e-4, float32 graphs are compared with PyTorch to 1e-3."""
    monkeypatch.delenv("NVIDIA_TF32_OVERRIDE", raising=False)
    gpu_onnxruntime.install(monkeypatch)
    create_backend(Bundle.open(tiny), "tensorrt-onnxruntime").close()
    assert os.environ["NVIDIA_TF32_OVERRIDE"] == "0"


def test_engines_of_other_weights_lie_elsewhere(tiny: Path, tmp_path: Path) -> None:
    other = tiny_bundle.build(tmp_path / "other", scripts=[tiny_bundle.LOOP])
    folders = {engine_cache(Bundle.open(path), "extractor", version) for path in (tiny, other) for version in ("1.0", "1.1")}
    assert len(folders) == 4


def refusal(bundle: Path, provider: str) -> str:
    with pytest.raises(BackendError) as error:
        create_backend(Bundle.open(bundle), provider)
    return sentence_of(error)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_that_is_listed_but_not_usable(tiny: Path, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    gpu_onnxruntime.install(monkeypatch, usable=False)
    assert "asked for, but ONNX Runtime fell back to CPUExecutionProvider: check the GPU's driver" in refusal(tiny, provider)


def test_tensorrt_that_falls_back_to_cuda_is_told(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = gpu_onnxruntime.install(monkeypatch)
    real = gpu.InferenceSession

    def without_tensorrt(path: str, options: Any, providers: list[Any], **others: Any) -> Any:
        return real(path, options, providers[1:], **others)

    gpu.InferenceSession = without_tensorrt
    said = refusal(tiny, "tensorrt-onnxruntime")
    assert "fell back to CUDAExecutionProvider: check the GPU's driver and the CUDA, cuDNN and TensorRT libraries" in said


def test_a_provider_that_is_not_in_the_package(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = gpu_onnxruntime.install(monkeypatch)
    gpu.get_available_providers = lambda: ["CPUExecutionProvider"]
    for provider, name in (("cuda", "CUDAExecutionProvider"), ("tensorrt-onnxruntime", "TensorrtExecutionProvider")):
        assert f"has no {name}; install onnxruntime-gpu" in refusal(tiny, provider)


def test_engines_that_cannot_be_kept(tiny: Path, monkeypatch: pytest.MonkeyPatch, own_home: Path) -> None:
    gpu_onnxruntime.install(monkeypatch)
    own_home.write_text("a file")
    assert "set XDG_CACHE_HOME to a writable folder" in refusal(tiny, "tensorrt-onnxruntime")


def test_auto_prefers_cuda(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ONNX Runtime's TensorRT takes minutes at its first load: it is used where it is named."""
    gpu_onnxruntime.install(monkeypatch)
    assert create_backend(Bundle.open(tiny)).provider == "CUDAExecutionProvider"


def test_options_keep_profiles_apart(tiny: Path) -> None:
    bundle = Bundle.open(tiny)
    graph = bundle.manifest.graphs["compressor"]
    options = provider_options(graph_profiles("compressor", graph, bundle.manifest), Path("x"))
    step, prompt = options["trt_profile_max_shapes"].split(",")
    assert step.startswith("tokens:1x") and prompt.startswith("tokens:1x") and step != prompt


def test_cuda_computes_fp32_as_such_and_chooses_convolutions_the_same_way(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = gpu_onnxruntime.install(monkeypatch)
    create_backend(Bundle.open(tiny), "cuda").close()
    options = [providers[0] for providers in gpu.asked]
    assert options and all(name == "CUDAExecutionProvider" and chosen["use_tf32"] == "0"
                           and chosen["cudnn_conv_algo_search"] == "HEURISTIC" for name, chosen in options)
