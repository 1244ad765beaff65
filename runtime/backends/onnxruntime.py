"""ONNX Runtime on the CPU or on CUDA; all tensors are bound by address, so the KV cache is written in place."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np

from ..bundle.contract import DType, Graph, Tensor
from ..bundle.reader import Bundle
from ..errors import BackendError, Cancelled
from .base import DTYPES, Backend, Memory
from .fp16_weights import REREAD, cast_once
from .library import load_onnxruntime
from .memory import huge_pages_wanted, use_huge_pages

_EXECUTION_PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider",
                        "tensorrt-onnxruntime": "TensorrtExecutionProvider"}
ON_CUDA: tuple[str, dict[str, str]] = ("CUDAExecutionProvider",
                                       {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"})
"""The provider and its options: by default it tries the convolutions' algorithms at every new length, as most flushes have one,
and takes what was fastest then, so that samples would depend on it; and FP32 graphs are to be computed in FP32."""
_TYPES: dict[str, DType] = {"tensor(int64)": "int64", "tensor(float)": "float32", "tensor(float16)": "float16",
                            "tensor(bool)": "bool"}
_ATTENTION = (1, 22)
"""The first version whose attention takes rotary positions beside the cache, as graphs for CPUs give them."""
_SPINS_BRIEFLY = (1, 32)
"""The version that a limit of spinning was measured with."""
_FATAL = 4
"""ONNX Runtime's log level: its warnings would land between a CLI's lines; failures are raised anyway."""


class OnnxRuntimeBackend(Backend):
    """One session per graph."""

    _libraries = "CUDA and cuDNN"
    """What a provider needs besides the driver."""

    def __init__(self, bundle: Bundle, provider: str, threads: int | None) -> None:
        super().__init__(bundle.manifest.graphs)
        self._ort = _import()
        if bundle.manifest.cpu and _release(self._ort.__version__) < _ATTENTION:
            raise BackendError(f"The graphs of {bundle.root} need ONNX Runtime {_ATTENTION[0]}.{_ATTENTION[1]} or newer, and "
                               f"{self._ort.__version__} is installed: upgrade it, or export without --cpu, --int8, --int4.")
        self._wanted = _EXECUTION_PROVIDERS[provider]
        self._device: Literal["cpu", "cuda"] = "cpu" if provider == "cpu" else "cuda"
        self._threads = threads or 0
        self._sessions: dict[str, Any] = {}
        self._bindings: dict[str, Any] = {}
        self._bound: dict[str, dict[str, tuple[int, tuple[int, ...]]]] = {}
        """Address and shape of each graph's inputs as they were bound last: most are the same patch after patch. Of inputs on
        the session's own device only, as others are copied when they are bound."""
        self._filled: dict[str, dict[str, tuple[int, tuple[int, ...]]]] = {}
        """The same of outputs, on any device."""
        self.provider = self._wanted
        if self._device == "cuda":
            self._find_gpu_provider()
        self.load(bundle.graph_files())
        if self._device == "cpu" and huge_pages_wanted():
            use_huge_pages()
        self._run_options = self._ort.RunOptions()
        # Its default, said: the library looks it up at each run and takes 0.1 ms to find nothing.
        self._run_options.add_run_config_entry("gpu_graph_id", "0")

    def _find_gpu_provider(self) -> None:
        if self._wanted not in self._ort.get_available_providers():
            raise BackendError(f"The installed onnxruntime has no {self._wanted}; install onnxruntime-gpu instead of "
                               "onnxruntime, or use provider cpu.")
        if hasattr(self._ort, "preload_dlls"):
            with contextlib.redirect_stdout(io.StringIO()):  # it prints each library that it does not find
                self._ort.preload_dlls()

    def _load(self, name: str, path: Path) -> Graph:
        options = self._ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _FATAL
        for key, value in _spinning(self._ort.__version__).items():
            options.add_session_config_entry(key, value)
        providers = self._providers(name)
        try:
            # Without `enable_fallback=0` the library prints, and silently tries the CPU.
            weights_cast = self._device == "cpu" and name in REREAD and _computes_half(self._graphs[name])
            source = cast_once(self._ort, path) if weights_cast else contextlib.nullcontext(path)
            with source as file:
                session = self._ort.InferenceSession(str(file), options, providers=providers, enable_fallback=0)
            graph = Graph(tuple(map(_tensor, session.get_inputs())), tuple(map(_tensor, session.get_outputs())))
        except Exception as error:  # its exceptions share no other base class
            version = self._ort.__version__
            raise BackendError(f"ONNX Runtime {version} cannot load graph {name}: {_reason(error)}.") from error
        used = session.get_providers()[0]
        if used != self._wanted:
            raise BackendError(f"{self._wanted} was asked for, but ONNX Runtime fell back to {used}: check the GPU's "
                               f"driver and the {self._libraries} libraries, or use provider cpu.")
        self._sessions[name] = session
        self._bindings[name], self._bound[name], self._filled[name] = session.io_binding(), {}, {}
        return graph

    def _providers(self, name: str) -> list[Any]:
        """What runs a graph's nodes, first choice first: a provider's name, or its name and options."""
        del name
        return ["CPUExecutionProvider"] if self._device == "cpu" else [ON_CUDA, "CPUExecutionProvider"]

    def _execute(self, name: str, inputs: Mapping[str, Memory], outputs: Mapping[str, Memory]) -> None:
        binding, bound, filled = self._bindings[name], self._bound[name], self._filled[name]
        try:
            for key, memory in inputs.items():
                if memory.device != self._device or bound.get(key) != (memory.pointer, memory.shape):
                    binding.bind_input(key, memory.device, 0, DTYPES[memory.dtype].type, memory.shape, memory.pointer)
                    bound[key] = memory.pointer, memory.shape
            if outputs.keys() != filled.keys():
                binding.clear_binding_outputs()
                filled.clear()
            for key, memory in outputs.items():
                if filled.get(key) != (memory.pointer, memory.shape):
                    binding.bind_output(key, memory.device, 0, DTYPES[memory.dtype].type, memory.shape, memory.pointer)
                    filled[key] = memory.pointer, memory.shape
            self._sessions[name].run_with_iobinding(binding, self._run_options)
        except BaseException as error:  # as above; an interrupt may have come between a binding and its note
            self._bindings[name], self._bound[name], self._filled[name] = self._sessions[name].io_binding(), {}, {}
            if not isinstance(error, Exception):
                raise
            if self.aborted:
                raise Cancelled("Synthesis was cancelled.") from None
            raise BackendError(f"ONNX Runtime failed in graph {name}: {_reason(error)}.") from error

    def _interrupt(self, on: bool) -> None:
        self._run_options.terminate = on  # it is looked at between two nodes

    def allocate(self, shape: tuple[int, ...], dtype: DType) -> Memory:
        try:
            if self._device == "cpu":
                return Memory.of(np.empty(shape, DTYPES[dtype]), dtype)
            value = self._ort.OrtValue.ortvalue_from_shape_and_type(shape, DTYPES[dtype].type, self._device, 0)
        except Exception as error:  # as above; MemoryError on the host
            raise BackendError(f"There is not enough {self._device} memory for a tensor of shape {shape}.") from error
        return Memory(value.data_ptr(), shape, dtype, self._device, value)

    def _unload(self) -> None:
        self._bindings.clear()
        self._sessions.clear()


def open_backend(bundle: Bundle, provider: str, threads: int | None) -> OnnxRuntimeBackend:
    """All graphs of `bundle` loaded on provider `cpu` or `cuda`; see `create_backend`."""
    return OnnxRuntimeBackend(bundle, provider, threads)


def _import() -> ModuleType:
    try:
        library: ModuleType = load_onnxruntime()
        return library
    except ImportError as error:
        raise BackendError("onnxruntime cannot be imported: install onnxruntime, or onnxruntime-gpu for CUDA, "
                           f"and not both ({_reason(error)}).") from error


def _spinning(version: str) -> dict[str, str]:
    """Return options by which threads spin three times as long as the small nodes between two products take (up to 0.1 ms), and
    no longer: waking them costs up to a tenth of a step, but all sessions share the cores with each other and with whatever
    else a robot runs. After a graph's last node no thread spins.
    """
    if _release(version) < _SPINS_BRIEFLY:
        return {"session.intra_op.allow_spinning": "0"}
    return {"session.intra_op.spin_duration_us": "300", "session.force_spinning_stop": "1"}


def _release(version: str) -> tuple[int, ...]:
    """Its first two numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _computes_half(graph: Graph) -> bool:
    return any(tensor.dtype == "float16" for tensor in graph.inputs)


def _tensor(node: Any) -> Tensor:
    axes = tuple(axis if isinstance(axis, int) else str(axis) for axis in node.shape)
    return Tensor(node.name, _TYPES.get(node.type, node.type), axes)


def _reason(error: Exception) -> str:
    """What the library says, without its source paths and codes, at most 200 characters of one line."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    said = re.split(r"\[ONNXRuntimeError\] : \d+ : \w+ : ", line)[-1].rstrip(". ")
    return said if len(said) <= 200 else said[:197] + "..."
