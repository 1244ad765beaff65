"""ONNX Runtime's TensorRT provider: the same bound memory as on CUDA; it builds its engines itself, at the first load.

The way to TensorRT for who has `onnxruntime-gpu` and no built engines. `auto` never takes it: its first load takes minutes.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..atomic import cache_folder
from ..bundle.engine_set import Profile, graph_digest
from ..bundle.profiles import graph_profiles
from ..bundle.reader import Bundle
from ..errors import BackendError
from .onnxruntime import ON_CUDA, OnnxRuntimeBackend

KIND = "tensorrt-onnxruntime"


class OnnxRuntimeTensorRtBackend(OnnxRuntimeBackend):
    """One session per graph; nodes that TensorRT does not take go to CUDA, and then to the CPU."""

    _libraries = "CUDA, cuDNN and TensorRT"

    def __init__(self, bundle: Bundle, provider: str, threads: int | None) -> None:
        self._bundle = bundle
        # Float32 graphs are compared with PyTorch to 1e-3, which TF32 products do not reach. The CUDA libraries read it once.
        os.environ.setdefault("NVIDIA_TF32_OVERRIDE", "0")
        super().__init__(bundle, provider, threads)

    def _providers(self, name: str) -> list[Any]:
        # One profile over all modes: ONNX Runtime builds several, but its execution context stays on the first.
        profiles = graph_profiles(name, self._graphs[name], self._bundle.manifest, joint=True)
        folder = engine_cache(self._bundle, name, self._ort.__version__)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BackendError(f"TensorRT's engines cannot be kept in {folder} ({error.strerror}); set XDG_CACHE_HOME to a "
                               "writable folder.") from error
        return [(self._wanted, provider_options(profiles, folder)), ON_CUDA, "CPUExecutionProvider"]


def engine_cache(bundle: Bundle, graph: str, version: str) -> Path:
    """Return the folder of one graph's engines. ONNX Runtime adds GPU and TensorRT version to file names, but no weights."""
    return cache_folder() / f"{KIND}-{version}" / graph_digest(bundle, graph)[:32]


def provider_options(profiles: Sequence[Profile], folder: Path) -> dict[str, str]:
    """Options of the provider: engines and timings kept, shapes as our own engines have them.

    None asks for FP16: only then does ONNX Runtime make a strongly typed network, whose precision is the graph's.
    """
    kept = str(folder)
    return {
        "device_id": "0",
        "trt_engine_cache_enable": "1", "trt_engine_cache_path": kept,
        "trt_timing_cache_enable": "1", "trt_timing_cache_path": kept,
        "trt_profile_min_shapes": _shapes([{name: span.smallest for name, span in each.shapes.items()} for each in profiles]),
        "trt_profile_opt_shapes": _shapes([{name: span.usual for name, span in each.shapes.items()} for each in profiles]),
        "trt_profile_max_shapes": _shapes([{name: span.largest for name, span in each.shapes.items()} for each in profiles]),
    }


def _shapes(profiles: Sequence[dict[str, tuple[int, ...]]]) -> str:
    """`name:1x8,name:1x64`: an input named again belongs to the next profile."""
    return ",".join(f"{name}:{'x'.join(map(str, shape))}" for profile in profiles for name, shape in profile.items())


def open_backend(bundle: Bundle, provider: str, threads: int | None) -> OnnxRuntimeTensorRtBackend:
    """All graphs of `bundle` on ONNX Runtime's TensorRT provider; see `create_backend`."""
    return OnnxRuntimeTensorRtBackend(bundle, provider, threads)
