"""TensorRT and TensorRT-RTX engines: everything stays on the device but what the host asks for.

Per patch that is the k tokens of the extractor. The KV cache is one block that the backbone reads as a view and that new
positions are written after it; contexts and patches never leave the device.
"""

from __future__ import annotations

import mmap
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..bundle.contract import DType, Graph, Tensor
from ..bundle.engine_set import Engine, EngineKind, build_command, find_engine_set, number
from ..bundle.reader import Bundle
from ..errors import BackendError
from .base import DTYPES, Backend, Memory
from .cuda_runtime import Cuda
from .engine_session import EngineSession
from .tensorrt_library import Library, open_library

_DTYPES: dict[str, DType] = {"INT64": "int64", "FLOAT": "float32", "HALF": "float16", "BOOL": "bool"}


class TensorRtBackend(Backend):
    """One engine per graph, one stream for all."""

    def __init__(self, bundle: Bundle, kind: EngineKind) -> None:
        super().__init__(bundle.manifest.graphs)
        self._library: Library = open_library(kind)
        self._cuda = Cuda()  # before TensorRT itself, which may take the process down where there is no driver
        self._sessions: dict[str, EngineSession] = {}
        try:
            sm = self._cuda.compute_capability
            self._again = build_command(bundle.root, kind, sm)
            found, paths = find_engine_set(bundle, kind, self._library.version, sm)
            self._engines = found.engines
            self._runtime = self._open_runtime(found.version_compatible)
            self.provider = f"{self._library.title} (sm{number(sm)})"
            self.load(paths)
        except BaseException:
            self.close()
            raise

    def _open_runtime(self, version_compatible: bool) -> Any:
        self._logger = self._library.logger()  # must outlive the runtime
        try:
            runtime = self._library.module.Runtime(self._logger)
        except TypeError as error:  # the binding's way to say that the library gave nothing
            raise BackendError(f"{self._library.title} cannot start: it does not fit the driver of this machine; install the "
                               "version that the driver supports, or use provider cpu.") from error
        if version_compatible:
            runtime.engine_host_code_allowed = True  # such an engine brings its own small runtime
        return runtime

    def _load(self, name: str, path: Path) -> Graph:
        self._library.complaints.clear()
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as plan:
            # Mapped, not read: on a Jetson a copy of the largest engine would take as much again of the shared memory.
            engine = self._runtime.deserialize_cuda_engine(plan)
        if engine is None:
            advice = "there is not enough GPU memory; close other programs" if self._library.out_of_memory else \
                f"build it again with `{self._again}`"
            raise BackendError(f"{self._library.title} does not load the engine of graph {name} ({self._library.reason()}): "
                               f"{advice}.")
        self._check_profiles(name, engine, self._engines[name])
        graph = self._graph_of(engine)
        if {tensor.name for tensor in graph.inputs} == {tensor.name for tensor in self._graphs[name].inputs}:
            self._sessions[name] = EngineSession(name, self._graphs[name], engine, self._engines[name].profiles, self._library,
                                                 self._cuda)
        return graph

    def _check_profiles(self, name: str, engine: Any, listed: Engine) -> None:
        """Raise BackendError unless the engine has the profiles that its list says."""
        wrong = engine.num_optimization_profiles != len(listed.profiles)
        for place, profile in enumerate(listed.profiles if not wrong else ()):
            for tensor, span in profile.shapes.items():
                real = tuple(tuple(shape) for shape in engine.get_tensor_profile_shape(tensor, place))
                wrong = wrong or real != (span.smallest, span.usual, span.largest)
        if wrong:
            raise BackendError(f"The engine of graph {name} has other shape ranges than its list says: build it again with "
                               f"`{self._again}`.")

    def _graph_of(self, engine: Any) -> Graph:
        """Inputs and outputs as the engine has them; axes of unknown size as strings."""
        modes = self._library.module.TensorIOMode
        sides: dict[bool, list[Tensor]] = {True: [], False: []}
        for index in range(engine.num_io_tensors):
            tensor = engine.get_tensor_name(index)
            kind = engine.get_tensor_dtype(tensor)
            axes = tuple(size if size >= 0 else "any" for size in engine.get_tensor_shape(tensor))
            dtype = _DTYPES.get(kind.name, cast(DType, kind.name))
            sides[engine.get_tensor_mode(tensor) == modes.INPUT].append(Tensor(tensor, dtype, axes))
        return Graph(tuple(sides[True]), tuple(sides[False]))

    def _execute(self, name: str, inputs: Mapping[str, Memory], outputs: Mapping[str, Memory]) -> None:
        self._sessions[name].run(inputs, outputs)

    def allocate(self, shape: tuple[int, ...], dtype: DType) -> Memory:
        """Zeroed device memory: positions after the real past are masked, but must be finite."""
        block = self._cuda.allocate(int(np.prod(shape, dtype=np.int64)) * DTYPES[dtype].itemsize)
        return Memory(block.pointer, shape, dtype, "cuda", block)

    @property
    def broken(self) -> str | None:
        return self._cuda.broken

    def clear(self, memory: Memory) -> None:
        """Set it to zeros: a past is passed up to the end of its bucket, where a masked NaN would still spoil the sums."""
        self._cuda.clear(memory.pointer, memory.nbytes)

    def _unload(self) -> None:
        self._cuda.drain()  # contexts must outlive the work that was put into the stream
        self._sessions.clear()
        self._runtime = None
        self._cuda.close()


def open_backend(bundle: Bundle, provider: str, threads: int | None) -> TensorRtBackend:
    """All engines of `bundle` for the GPU that is here; see `create_backend`. Threads mean nothing to a GPU."""
    del threads
    return TensorRtBackend(bundle, cast(EngineKind, provider))
