"""One engine, ready to run: a context per profile, its own buffers, and captured CUDA graphs for calls that come again.

Host inputs go through page-locked memory of the session, so that no call waits for the device before it must: only
outputs that are asked for on the host make it wait. A call whose shapes and addresses came before is recorded as a CUDA
graph, copies included, right after it has run, and launched as one piece from then on; a prefill is not.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..bundle.contract import PAST, Graph, Tensor
from ..bundle.engine_set import Profile
from ..bundle.shapes import bind, resolve, symbol_of
from ..errors import BackendError
from .base import DTYPES, Memory
from .cuda_runtime import ALIGNMENT, Block, Cuda
from .tensorrt_library import Library

BUCKET = 64
"""The past is passed in steps of so many positions, masked after its real length, so that a captured graph serves them all."""
PREFILL = "prefill"
"""Profile whose calls differ from text to text: capturing them would only fill the memory."""
MAX_GRAPHS = 64
"""Captured graphs that one session keeps: a cache of 4,096 positions has as many buckets."""

Copy = tuple[int, int, int]
"""Target, source, bytes."""


@dataclass
class _Buffer:
    """Memory of the session for one tensor: on the device, and page-locked on the host."""

    device: int
    host: int


@dataclass
class _Call:
    """One run: the address of every tensor, and the copies around it."""

    place: int
    shapes: dict[str, tuple[int, ...]]
    addresses: dict[str, int] = field(default_factory=dict)
    into: list[Copy] = field(default_factory=list)
    """Host to device."""
    across: list[Copy] = field(default_factory=list)
    """Device to device, to inputs that may not be read at their own address."""
    back: list[Copy] = field(default_factory=list)
    """Device to host."""
    loose: list[Copy] = field(default_factory=list)
    """Device to device after the run, to addresses that move from call to call: never part of a captured graph."""
    fetched: list[Copy] = field(default_factory=list)
    """Page-locked to the caller's memory, on the host, at the end."""

    def key(self) -> tuple[object, ...]:
        """Everything that a captured graph of this call has inside."""
        return (self.place, *sorted(self.shapes.items()), *sorted(self.addresses.items()), *self.into, *self.across, *self.back)


class EngineSession:
    """Runs one graph. Nothing here is thread-safe."""

    def __init__(self, name: str, graph: Graph, engine: Any, profiles: tuple[Profile, ...], library: Library,
                 cuda: Cuda) -> None:
        self._name, self._graph, self._profiles = name, graph, profiles
        self._library, self._cuda, self._engine = library, cuda, engine
        self._contexts = [self._context(place) for place in range(len(profiles))]
        self._recordable = [True] * len(profiles)
        self._largest = self._largest_shapes()
        self._buffers: dict[str, _Buffer] = {}
        self._captured: dict[tuple[object, ...], Any] = {}
        self._seen: dict[tuple[object, ...], None] = {}
        """Calls that ran and are not captured, in the order in which they first came."""
        self._epoch = -1

    # -- running -----------------------------------------------------------------------------------------------------

    def run(self, inputs: Mapping[str, Memory], outputs: Mapping[str, Memory]) -> None:
        """Run it from and into memory, host or device; host outputs are there on return."""
        if self._epoch == self._cuda.epoch:  # the call before may not have read its page-locked inputs yet
            self._cuda.synchronize()
        call = self._prepare(inputs, outputs)
        key = call.key()
        if key in self._captured:
            self._cuda.launch(self._captured[key])
        else:
            self._set_up(call)
            self._enqueue(call)
            self._note(call, key)
        for target, source, nbytes in call.loose:
            self._cuda.on_device(target, source, nbytes)
        self._epoch = self._cuda.epoch if call.into else -1
        if call.fetched:
            self._cuda.synchronize()
            for target, source, nbytes in call.fetched:
                ctypes.memmove(target, source, nbytes)

    def _prepare(self, inputs: Mapping[str, Memory], outputs: Mapping[str, Memory]) -> _Call:
        """Choose the profile and all addresses; host inputs are copied into page-locked memory."""
        place = self._choose({name: memory.shape for name, memory in inputs.items()})
        call = _Call(place, {name: self._padded(name, memory) for name, memory in inputs.items()})
        for name, memory in inputs.items():
            self._place_input(call, name, memory)
        for tensor in self._graph.outputs:
            self._place_output(call, tensor.name, outputs.get(tensor.name))
        return call

    def _place_input(self, call: _Call, name: str, memory: Memory) -> None:
        if memory.device == "cuda" and _aligned(memory):
            call.addresses[name] = memory.pointer
            return
        buffer = self._buffer(name)
        call.addresses[name] = buffer.device
        if memory.device == "cuda":
            call.across.append((buffer.device, memory.pointer, memory.nbytes))
        elif memory.nbytes:
            ctypes.memmove(buffer.host, memory.pointer, memory.nbytes)
            call.into.append((buffer.device, buffer.host, memory.nbytes))

    def _place_output(self, call: _Call, name: str, memory: Memory | None) -> None:
        if memory is not None and memory.device == "cuda" and _aligned(memory) and not _moves(memory):
            call.addresses[name] = memory.pointer
            return
        buffer = self._buffer(name)
        call.addresses[name] = buffer.device
        if memory is not None and memory.device == "cuda":
            call.loose.append((memory.pointer, buffer.device, memory.nbytes))
        elif memory is not None:
            call.back.append((buffer.host, buffer.device, memory.nbytes))
            call.fetched.append((memory.pointer, buffer.host, memory.nbytes))

    def _padded(self, name: str, memory: Memory) -> tuple[int, ...]:
        """Return the shape to run an input in: a past on the device is passed up to the end of its bucket."""
        if not self._is_past(name) or not isinstance(memory.owner, Block) or not memory.shape[0]:
            return memory.shape
        row = memory.nbytes // memory.shape[0]
        rows = min(-(-memory.shape[0] // BUCKET) * BUCKET, (memory.owner.end - memory.pointer) // row)
        return (rows, *memory.shape[1:])

    def _choose(self, shapes: dict[str, tuple[int, ...]]) -> int:
        for place, profile in enumerate(self._profiles):
            if profile.admits(shapes):
                return place
        asked = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise BackendError(f"The engine of graph {self._name} was not built for {asked}; export the bundle with more "
                           "--max-seconds and build its engines again.")

    def _set_up(self, call: _Call) -> None:
        context = self._contexts[call.place]
        done = [context.set_input_shape(name, shape) for name, shape in call.shapes.items()]
        done += [context.set_tensor_address(name, address) for name, address in call.addresses.items()]
        if not all(done):
            raise BackendError(f"{self._library.title} refused an input of graph {self._name}: {self._library.reason()}.")

    def _enqueue(self, call: _Call) -> None:
        for copies, move in ((call.into, self._cuda.to_device), (call.across, self._cuda.on_device)):
            for target, source, nbytes in copies:
                move(target, source, nbytes)
        if not self._contexts[call.place].execute_async_v3(self._cuda.stream_handle):
            advice = "; close other programs on the GPU" if self._library.out_of_memory else ""
            raise BackendError(f"{self._library.title} failed in graph {self._name}: {self._library.reason()}{advice}.")
        for target, source, nbytes in call.back:
            self._cuda.to_host(target, source, nbytes)

    def _note(self, call: _Call, key: tuple[object, ...]) -> None:
        """Capture a call that has run for the second time; the oldest captured graph makes room for it."""
        if self._profiles[call.place].name == PREFILL or not self._recordable[call.place]:
            return
        if key not in self._seen:
            self._seen[key] = None
            if len(self._seen) > MAX_GRAPHS:
                del self._seen[next(iter(self._seen))]
        elif self._capturable(call.place):
            if len(self._captured) >= MAX_GRAPHS:
                self._cuda.release(self._captured.pop(next(iter(self._captured))))
            self._capture(call, key)

    def _capture(self, call: _Call, key: tuple[object, ...]) -> None:
        """Record the call, which must be the one that this context has just run; it is not run again."""
        try:
            self._cuda.begin_capture()
            self._enqueue(call)
            self._captured[key] = self._cuda.end_capture()
            del self._seen[key]
        except BackendError:  # some layer cannot be recorded: this profile runs call by call from now on
            self._cuda.abandon_capture()
            self._library.complaints.clear()
            self._recordable[call.place] = False

    def _capturable(self, place: int) -> bool:
        asked = getattr(self._contexts[place], "is_stream_capturable", None)  # TensorRT-RTX only
        return True if asked is None else bool(asked(self._cuda.stream_handle))

    # -- making ------------------------------------------------------------------------------------------------------

    def _context(self, place: int) -> Any:
        strategies = self._library.module.ExecutionContextAllocationStrategy
        context = self._engine.create_execution_context(strategies.ON_PROFILE_CHANGE)
        if context is None or not context.set_optimization_profile_async(place, self._cuda.stream_handle):
            advice = "there is not enough GPU memory; close other programs" if self._library.out_of_memory else "build it again"
            raise BackendError(f"The engine of graph {self._name} cannot be made ready ({self._library.reason()}): {advice}.")
        return context

    def _is_past(self, name: str) -> bool:
        tensor = next(tensor for tensor in self._graph.inputs if tensor.name == name)
        return symbol_of(tensor.axes[0]) == PAST

    def _largest_shapes(self) -> dict[str, tuple[int, ...]]:
        """The largest shape of every tensor over all profiles, by number of elements."""
        largest: dict[str, tuple[int, ...]] = {}
        for profile in self._profiles:
            symbols: dict[str, int] = {}
            for tensor in self._graph.inputs:
                bind(tensor, profile.shapes[tensor.name].largest, symbols)
            for tensor in (*self._graph.inputs, *self._graph.outputs):
                shape = resolve(tensor, symbols)
                if np.prod(shape) >= np.prod(largest.get(tensor.name, (0,))):
                    largest[tensor.name] = shape
        return largest

    def _buffer(self, name: str) -> _Buffer:
        """The session's own memory for a tensor, made at its first use and kept."""
        if name not in self._buffers:
            tensor: Tensor = next(each for each in (*self._graph.inputs, *self._graph.outputs) if each.name == name)
            nbytes = int(np.prod(self._largest[name], dtype=np.int64)) * DTYPES[tensor.dtype].itemsize
            self._buffers[name] = _Buffer(self._cuda.allocate(nbytes).pointer, self._cuda.allocate_host(nbytes))
        return self._buffers[name]


def _aligned(memory: Memory) -> bool:
    """Whether TensorRT may be given the address itself."""
    return memory.pointer % ALIGNMENT == 0


def _moves(memory: Memory) -> bool:
    """Whether memory is a part of a larger block, as a new position of the cache is."""
    return isinstance(memory.owner, Block) and memory.nbytes < memory.owner.nbytes
