"""The dozen calls of the CUDA runtime that a backend needs, through cuda-bindings: memory, one stream, captured graphs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, NoReturn

from ..errors import BackendError

ALIGNMENT = 256
"""Bytes that TensorRT wants addresses to be a multiple of; `cudaMalloc` gives no less."""
STICKY = ("cudaErrorIllegalAddress", "cudaErrorLaunchFailure", "cudaErrorLaunchTimeout", "cudaErrorECCUncorrectable",
          "cudaErrorHardwareStackError", "cudaErrorIllegalInstruction", "cudaErrorMisalignedAddress", "cudaErrorInvalidPc",
          "cudaErrorInvalidAddressSpace", "cudaErrorAssert", "cudaErrorContained", "cudaErrorMpsClientTerminated")
"""Errors that destroy the process's context on the device: only a new process can use it again."""


@dataclass(frozen=True)
class Block:
    """One allocation on the device."""

    pointer: int
    nbytes: int

    @property
    def end(self) -> int:
        """Address after its last byte."""
        return self.pointer + self.nbytes


class Cuda:
    """One GPU and one stream. Everything but `synchronize` and the allocations returns before the device has done it."""

    def __init__(self) -> None:
        """Find the first GPU.

        Raises:
            BackendError: cuda-bindings is missing, or there is no driver or no GPU.
        """
        try:
            self._api: Any = importlib.import_module("cuda.bindings.runtime")
        except ImportError as error:
            raise BackendError("TensorRT engines need the package cuda-bindings: `pip install cuda-bindings`, of the major "
                               f"version of the installed CUDA ({error}).") from error
        try:
            status, count = self._api.cudaGetDeviceCount()
        except RuntimeError as error:  # cuda-bindings 12.8 raises where libcuda.so.1 cannot be loaded
            raise BackendError(f"There is no NVIDIA driver to run engines on ({error}): install the driver, or use provider "
                               "cpu.") from error
        if int(status) or not count:
            raise BackendError(f"There is no NVIDIA driver or GPU to run engines on ({self._words(status)}): install the "
                               "driver, or use provider cpu.")
        self.broken: str | None = None
        """The error after which the device answers every call with the same error; None while it works."""
        self.epoch = 0
        """How often the host has waited for the stream."""
        self._blocks: list[Block] = []
        self._hosts: list[int] = []
        self._graphs: list[Any] = []
        self.stream: Any = self._call("cudaStreamCreateWithFlags", self._api.cudaStreamNonBlocking)

    @property
    def compute_capability(self) -> str:
        """Such as 8.7."""
        kinds = self._api.cudaDeviceAttr
        parts = (kinds.cudaDevAttrComputeCapabilityMajor, kinds.cudaDevAttrComputeCapabilityMinor)
        return ".".join(str(self._call("cudaDeviceGetAttribute", part, 0)) for part in parts)

    @property
    def device_name(self) -> str:
        """Such as Orin."""
        name = self._call("cudaGetDeviceProperties", 0).name
        return name.decode(errors="replace").strip("\0 ") if isinstance(name, bytes) else str(name)

    @property
    def stream_handle(self) -> int:
        """The stream as TensorRT takes it."""
        return int(self.stream)

    # -- memory ------------------------------------------------------------------------------------------------------

    def allocate(self, nbytes: int) -> Block:
        """Zeroed device memory, aligned to `ALIGNMENT`; BackendError where there is not enough."""
        pointer = self._allocated("cudaMalloc", nbytes, "GPU")
        block = Block(pointer, max(nbytes, 1))
        self._blocks.append(block)
        self._call("cudaMemsetAsync", pointer, 0, block.nbytes, self.stream)
        return block

    def clear(self, pointer: int, nbytes: int) -> None:
        """Set device memory to zeros."""
        self._call("cudaMemsetAsync", pointer, 0, nbytes, self.stream)

    def allocate_host(self, nbytes: int) -> int:
        """Address of page-locked host memory, from and to which copies do not make the host wait."""
        pointer = self._allocated("cudaMallocHost", nbytes, "page-locked host")
        self._hosts.append(pointer)
        return pointer

    def to_device(self, target: int, source: int, nbytes: int) -> None:
        """Copy from page-locked host memory, which must stay unchanged until the stream is waited for."""
        self._copy(target, source, nbytes, self._api.cudaMemcpyKind.cudaMemcpyHostToDevice)

    def to_host(self, target: int, source: int, nbytes: int) -> None:
        """Copy into page-locked host memory; it is there after `synchronize`."""
        self._copy(target, source, nbytes, self._api.cudaMemcpyKind.cudaMemcpyDeviceToHost)

    def on_device(self, target: int, source: int, nbytes: int) -> None:
        """Copy within the device."""
        self._copy(target, source, nbytes, self._api.cudaMemcpyKind.cudaMemcpyDeviceToDevice)

    def _copy(self, target: int, source: int, nbytes: int, kind: Any) -> None:
        if nbytes:
            self._call("cudaMemcpyAsync", target, source, nbytes, kind, self.stream)

    def _allocated(self, function: str, nbytes: int, where: str) -> int:
        status, pointer = getattr(self._api, function)(max(nbytes, 1))
        if int(status) == int(self._api.cudaError_t.cudaErrorMemoryAllocation):
            self._api.cudaGetLastError()
            free, total = self._call("cudaMemGetInfo")
            raise BackendError(f"There is not enough {where} memory for {nbytes / 1e6:.1f} MB ({free / 1e6:.0f} of "
                               f"{total / 1e6:.0f} MB are free): close other programs, or export with fewer --max-seconds.")
        if int(status):
            self._fail(function, status)
        return int(pointer)

    # -- work --------------------------------------------------------------------------------------------------------

    def synchronize(self) -> None:
        """Wait until everything that was put into the stream is done; BackendError where it failed on the device."""
        self._call("cudaStreamSynchronize", self.stream)
        self.epoch += 1

    def begin_capture(self) -> None:
        """Record what follows in the stream instead of doing it."""
        self._call("cudaStreamBeginCapture", self.stream, self._api.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal)

    def end_capture(self) -> Any:
        """What was recorded, ready to launch."""
        graph = self._call("cudaStreamEndCapture", self.stream)
        try:
            made = self._call("cudaGraphInstantiate", graph, 0)
        finally:
            self._call("cudaGraphDestroy", graph)
        self._graphs.append(made)
        return made

    def abandon_capture(self) -> None:
        """End a recording that failed and forget its error."""
        self._api.cudaStreamEndCapture(self.stream)
        self._api.cudaGetLastError()

    def launch(self, graph: Any) -> None:
        """Do what was recorded."""
        self._call("cudaGraphLaunch", graph, self.stream)

    def release(self, graph: Any) -> None:
        """Destroy a captured graph, once its launches are done."""
        self.drain()
        self._graphs.remove(graph)
        self._api.cudaGraphExecDestroy(graph)

    def drain(self) -> None:
        """Wait for the stream whatever the outcome, before what its work reads is released."""
        if self.stream is not None:
            self._api.cudaStreamSynchronize(self.stream)

    def close(self) -> None:
        """Release all memory, graphs and the stream, once; errors of a device that is gone are of no use here."""
        if self.stream is None:
            return
        self.drain()
        for graph in self._graphs:
            self._api.cudaGraphExecDestroy(graph)
        for block in self._blocks:
            self._api.cudaFree(block.pointer)
        for pointer in self._hosts:
            self._api.cudaFreeHost(pointer)
        self._api.cudaStreamDestroy(self.stream)
        self.stream = None
        self._graphs, self._blocks, self._hosts = [], [], []

    def _call(self, function: str, *arguments: Any) -> Any:
        """The result of a call: nothing, one value, or several."""
        status, *results = getattr(self._api, function)(*arguments)
        if int(status):
            self._fail(function, status)
        return results[0] if len(results) == 1 else tuple(results)

    def _fail(self, function: str, status: Any) -> NoReturn:
        if getattr(status, "name", "") in STICKY:
            self.broken = f"{self._words(status)} in {function}"
        raise BackendError(f"The GPU failed in {function}: {self._words(status)}; restart the program, and if it happens again "
                           "use provider cpu.")

    def _words(self, status: Any) -> str:
        """What CUDA calls a status."""
        _, text = self._api.cudaGetErrorString(status)
        return text.decode(errors="replace") if isinstance(text, bytes) else str(text)
