"""The KV cache of the patch loop: allocated once, written in place, never copied."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ..backends.base import Backend, Memory
from ..bundle.contract import DType, Precision, Sizes, layer_names
from ..bundle.manifest import Manifest
from ..errors import BackendError

Tensors = dict[str, Memory]


class Cache(ABC):
    """Keys and values of up to `capacity` positions in the backend's own memory, of which `length` are there."""

    memory: tuple[Memory, ...]
    """All that was allocated."""

    def __init__(self, backend: Backend, sizes: Sizes, precision: Precision, capacity: int, batch: int) -> None:
        self._backend = backend
        self._bytes_a_position = sizes.cache_bytes(1, precision, batch)
        self.capacity = capacity
        self.length = 0

    @property
    def bytes_allocated(self) -> int:
        """Bytes held for as long as the synthesizer lives."""
        return sum(memory.nbytes for memory in self.memory)

    @property
    def bytes_used(self) -> int:
        """Bytes that hold keys and values now: `Sizes.cache_bytes(length)`."""
        return self._bytes_a_position * self.length

    def clear(self) -> None:
        """Forget all positions; the memory stays. No value of an earlier utterance, a NaN among them, can reach a later one."""
        self.length = 0
        for memory in self.memory:
            self._backend.clear(memory)

    def advance(self, positions: int) -> None:
        """Count `positions` that the backbone has just written."""
        self.length += positions

    def check_room(self, positions: int) -> int:
        """Return the end of the next `positions`. Raises BackendError beyond the capacity."""
        end = self.length + positions
        if end > self.capacity:
            raise BackendError(f"Internal error: {end} positions in a cache of {self.capacity}; please report it.")
        return end

    @abstractmethod
    def tensors(self, positions: int) -> tuple[Tensors, Tensors]:
        """Return the backbone's past inputs, and the memory for keys and values of the next `positions`, by tensor name;
        `advance` makes them part of the past."""

    @abstractmethod
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """A copy of keys and values so far, [length, L, B, H, E] each; BackendError where they are in a device's memory."""


class KVCache(Cache):
    """Keys and values [capacity, L, B, H, E].

    The layout is position-major: the first n positions are one piece of memory, so `past` is a shorter view of it, the
    new positions are written right after it, and no step copies or reallocates anything.
    """

    def __init__(self, backend: Backend, sizes: Sizes, precision: Precision, capacity: int, batch: int = 1) -> None:
        super().__init__(backend, sizes, precision, capacity, batch)
        shape = (capacity, sizes.layers, batch, sizes.kv_heads, sizes.head_dim)
        self._keys = backend.allocate(shape, _dtype(precision))
        self._values = backend.allocate(shape, _dtype(precision))
        self.memory = self._keys, self._values

    def past(self) -> tuple[Memory, Memory]:
        """Keys and values of the positions so far, [length, L, B, H, E] each."""
        return self._keys.rows(0, self.length), self._values.rows(0, self.length)

    def room(self, positions: int) -> tuple[Memory, Memory]:
        """Return the memory for keys and values of the next `positions`."""
        end = self.check_room(positions)
        return self._keys.rows(self.length, end), self._values.rows(self.length, end)

    def tensors(self, positions: int) -> tuple[Tensors, Tensors]:
        past, room = self.past(), self.room(positions)
        return {"past_keys": past[0], "past_values": past[1]}, {"present_keys": room[0], "present_values": room[1]}

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        keys, values = (memory.array().copy() for memory in self.past())
        return keys, values


class LayeredCache(Cache):
    """Keys and values of each layer in a piece of their own, [B, H, capacity, E], which ONNX Runtime's attention reads and
    writes in place; the piece is both what it is given and what it returns."""

    def __init__(self, backend: Backend, sizes: Sizes, precision: Precision, capacity: int, batch: int = 1) -> None:
        super().__init__(backend, sizes, precision, capacity, batch)
        names = layer_names(sizes)
        whole = backend.allocate((len(names), batch, sizes.kv_heads, capacity, sizes.head_dim), _dtype(precision))
        self.memory = (whole,)
        pieces = {name: whole.at(index) for index, name in enumerate(names)}
        self._past = {f"past_{name}": piece for name, piece in pieces.items()}
        self._present = {f"present_{name}": piece for name, piece in pieces.items()}

    def tensors(self, positions: int) -> tuple[Tensors, Tensors]:
        self.check_room(positions)
        return self._past, self._present

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        pieces = self.memory[0].array()[:, :, :, :self.length]
        keys, values = (kind.transpose(3, 0, 1, 2, 4).copy() for kind in (pieces[::2], pieces[1::2]))
        return keys, values


def open_cache(backend: Backend, manifest: Manifest, capacity: int, batch: int = 1) -> Cache:
    """The cache that this bundle's backbone reads."""
    form = LayeredCache if manifest.cpu else KVCache
    return form(backend, manifest.sizes, manifest.precision, capacity, batch)


def _dtype(precision: Precision) -> DType:
    return "float16" if precision == "fp16" else "float32"
