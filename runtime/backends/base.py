"""What every backend shares: lifecycle, checks against the contract, timing. A backend fills four hooks.

Tensors that stay with a backend (cache, contexts, patches) are `Memory`: a pointer and a shape, on whichever device the
backend computes. Host arrays go in as numpy and come back as numpy; nothing else crosses.
"""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from ..bundle.contract import DType, Graph, Tensor
from ..bundle.shapes import bind, resolve
from ..errors import BackendError, BundleError, Cancelled

DTYPES: dict[DType, np.dtype] = {"int64": np.dtype(np.int64), "float32": np.dtype(np.float32),
                                 "float16": np.dtype(np.float16), "bool": np.dtype(np.bool_)}

_LITERALS = {kind: literal for literal, kind in DTYPES.items()}


class Memory(msgspec.Struct, frozen=True):
    """A dense row-major tensor at an address; `owner` is what keeps that address alive."""

    pointer: int
    shape: tuple[int, ...]
    dtype: DType
    device: Literal["cpu", "cuda"]
    owner: object

    @classmethod
    def of(cls, array: np.ndarray, dtype: DType) -> Memory:
        """The memory of a contiguous host array."""
        return cls(array.__array_interface__["data"][0], array.shape, dtype, "cpu", array)

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize

    def array(self) -> np.ndarray:
        """The same memory as an array, where it is the host's; BackendError where it is a device's."""
        if not isinstance(self.owner, np.ndarray):
            raise BackendError("Batched synthesis needs provider cpu: this one keeps its cache on the device.")
        first = (self.pointer - self.owner.ctypes.data) // self.owner.itemsize
        return self.owner.reshape(-1)[first:first + int(np.prod(self.shape))].reshape(self.shape)

    def rows(self, start: int, stop: int) -> Memory:
        """Rows start..stop of the first axis, in place."""
        row = math.prod(self.shape[1:]) * DTYPES[self.dtype].itemsize
        return Memory(self.pointer + start * row, (stop - start, *self.shape[1:]), self.dtype, self.device, self.owner)

    def at(self, index: int) -> Memory:
        """Element `index` of the first axis, in place, without that axis."""
        row = self.rows(index, index + 1)
        return msgspec.structs.replace(row, shape=row.shape[1:])


class Backend(ABC):
    """Loaded graphs that run. Not thread-safe: its user lets one thread in at a time."""

    provider: str
    """Name of the execution provider that really computes."""

    def __init__(self, graphs: Mapping[str, Graph]) -> None:
        self._graphs = dict(graphs)
        self._seconds: dict[str, float] = {}
        self._checked: dict[str, tuple[dict[str, tuple[tuple[int, ...], DType]], dict[str, int]]] = {}
        """Shapes of each graph's inputs in its last call, and the dynamic sizes that they tell."""
        self._hook: Callable[[str, float], None] | None = None
        self.aborted = False
        """Whether `abort` was called since the last `record_into`."""
        self.closed = False
        """Set once the graphs are released; `run` then raises BackendError."""

    # -- hooks -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def _load(self, name: str, path: Path) -> Graph:
        """Load one graph and say what inputs and outputs it really has; unknown axes as strings."""

    @abstractmethod
    def _execute(self, name: str, inputs: Mapping[str, Memory], outputs: Mapping[str, Memory]) -> None:
        """Run one graph from and into memory, host or device; return when the outputs may be read."""

    @abstractmethod
    def allocate(self, shape: tuple[int, ...], dtype: DType) -> Memory:
        """Memory where this backend computes, contents undefined."""

    @abstractmethod
    def _unload(self) -> None:
        """Release all graphs."""

    def _interrupt(self, on: bool) -> None:  # noqa: B027 - not every library can
        """Make a graph that runs in another thread fail soon (`on`), or let graphs run again; nothing where it cannot be."""

    # -- lifecycle ---------------------------------------------------------------------------------------------------

    def load(self, paths: Mapping[str, Path]) -> None:
        """Load the graph at each path; BundleError where one is not what the contract says."""
        for name, path in paths.items():
            wrong = _difference(self._graphs[name], self._load(name, path))
            if wrong:
                self.close()
                raise BundleError(f"Graph {name} does not fit its contract: {wrong}; export the bundle again.")

    def close(self) -> None:
        """Release graphs and memory, once; a closed backend refuses to run."""
        if not self.closed:
            self.closed = True
            self._unload()

    @property
    def broken(self) -> str | None:
        """The error after which the device works no more in this process; None while it works."""
        return None

    def clear(self, memory: Memory) -> None:  # noqa: B027 - only backends that read masked memory need it
        """Set memory of `allocate` to zeros where masked parts of it are read; nothing where they never are."""

    # -- use ---------------------------------------------------------------------------------------------------------

    def record_into(self, seconds: dict[str, float], hook: Callable[[str, float], None] | None = None) -> None:
        """An utterance begins: from now on add each graph's run time to seconds[graph], and tell it to `hook`."""
        self._seconds, self._hook, self.aborted = seconds, hook, False
        self._interrupt(False)

    def abort(self) -> None:
        """Have the graph that runs now, and all further ones of this utterance, end in `Cancelled`; from any thread."""
        self.aborted = True
        self._interrupt(True)

    def run(self, name: str, inputs: Mapping[str, np.ndarray | Memory], into: Mapping[str, Memory] | None = None,
            fetch: Iterable[str] = ()) -> dict[str, np.ndarray]:
        """Run graph `name`.

        Args:
            name: a graph of the contract.
            inputs: all its inputs.
            into: outputs that are written in place.
            fetch: outputs that come back as new host arrays. An output in neither is not asked for.

        Raises:
            BackendError: inputs or outputs that do not fit the contract, or a failure of the library or device.
            Cancelled: `abort` was called meanwhile.
        """
        if self.closed:
            raise BackendError("This synthesizer is closed; make a new one.")
        if self.aborted:
            raise Cancelled("Synthesis was cancelled.")
        begin = time.perf_counter()
        given = {key: memory_of(key, value) for key, value in inputs.items()}
        results, written = self._outputs(name, self._sizes_of(name, given), into or {}, fetch)
        self._execute(name, given, written)
        self.record(name, time.perf_counter() - begin)
        return results

    def record(self, stage: str, seconds: float) -> None:
        """Add the time of a stage of this utterance, a graph or what runs beside them, and tell it to the hook."""
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds
        if self._hook is not None:
            self._hook(stage, seconds)

    def _sizes_of(self, name: str, given: dict[str, Memory]) -> dict[str, int]:
        """The dynamic sizes of inputs that were checked: now, or when a call of the same shapes was, as most are."""
        shapes = {key: (memory.shape, memory.dtype) for key, memory in given.items()}
        last = self._checked.get(name)
        if last is None or last[0] != shapes:
            symbols = dict[str, int]()
            self._check(name, self._graphs[name].inputs, given, symbols)
            last = self._checked[name] = shapes, symbols
        return dict(last[1])

    def _outputs(self, name: str, symbols: dict[str, int], into: Mapping[str, Memory],
                 fetch: Iterable[str]) -> tuple[dict[str, np.ndarray], dict[str, Memory]]:
        """New arrays for what is fetched, and where all outputs go."""
        outputs = {tensor.name: tensor for tensor in self._graphs[name].outputs}
        results = {key: np.empty(resolve(outputs[key], symbols), DTYPES[outputs[key].dtype]) for key in fetch}
        self._check(name, tuple(outputs[key] for key in into), dict(into), symbols)
        return results, {**into, **{key: Memory.of(array, outputs[key].dtype) for key, array in results.items()}}

    @staticmethod
    def _check(name: str, tensors: tuple[Tensor, ...], given: dict[str, Memory], symbols: dict[str, int]) -> None:
        """Raise BackendError unless names, dtypes and shapes are those of the contract; notes sizes in `symbols`."""
        if given.keys() != {tensor.name for tensor in tensors}:
            raise BackendError(f"Graph {name} takes {[tensor.name for tensor in tensors]}, not {list(given)}.")
        for tensor in tensors:
            memory = given[tensor.name]
            wrong = bind(tensor, memory.shape, symbols)
            if memory.dtype != tensor.dtype:
                wrong = f"{tensor.name} is {memory.dtype}, expected {tensor.dtype}"
            if wrong:
                raise BackendError(f"Graph {name}: {wrong}.")


def memory_of(name: str, value: np.ndarray | Memory) -> Memory:
    """The memory of a graph's tensor; BackendError for a type that no graph takes."""
    if isinstance(value, Memory):
        return value
    literal = _LITERALS.get(value.dtype)
    if literal is None:
        raise BackendError(f"Input {name} is {value.dtype}, which no graph takes.")
    return Memory.of(np.ascontiguousarray(value), literal)


def _difference(expected: Graph, found: Graph) -> str | None:
    """First way in which a loaded graph is not the one of the contract: names, dtypes, rank, fixed sizes."""
    for side in ("inputs", "outputs"):
        wanted = {tensor.name: tensor for tensor in getattr(expected, side)}
        present = {tensor.name: tensor for tensor in getattr(found, side)}
        if wanted.keys() != present.keys():
            return f"its {side} are {sorted(present)}, expected {sorted(wanted)}"
        for name, tensor in wanted.items():
            real = present[name]
            if real.dtype != tensor.dtype:
                return f"{name} is {real.dtype}, expected {tensor.dtype}"
            pairs = zip(real.axes, tensor.axes, strict=False)
            wrong = any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in pairs)
            if wrong or len(real.axes) != len(tensor.axes):
                return f"{name} has axes {real.axes}, expected {tensor.axes}"
    return None
