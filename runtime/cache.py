"""The KV cache of the patch loop: allocated once, written in place, read as one contiguous view."""

from __future__ import annotations

from runtime.backends.base import Backend, Memory
from runtime.contract import DType, Precision, Sizes
from runtime.errors import BackendError


class KVCache:
    """Keys and values [capacity, L, B, H, E] in the backend's own memory.

    The layout is position-major: the first n positions are one piece of memory, so `past` is a shorter view of it, the
    new positions are written right behind, and no step copies or reallocates anything.
    """

    def __init__(self, backend: Backend, sizes: Sizes, precision: Precision, capacity: int, batch: int = 1) -> None:
        shape = (capacity, sizes.layers, batch, sizes.kv_heads, sizes.head_dim)
        dtype: DType = "float16" if precision == "fp16" else "float32"
        self._keys = backend.allocate(shape, dtype)
        self._values = backend.allocate(shape, dtype)
        self._bytes_a_position = sizes.cache_bytes(1, precision, batch)
        self.capacity = capacity
        self.length = 0

    @property
    def bytes_allocated(self) -> int:
        """Bytes held for as long as the synthesizer lives."""
        return self._keys.nbytes + self._values.nbytes

    @property
    def bytes_used(self) -> int:
        """Bytes that hold keys and values now: `Sizes.cache_bytes(length)`."""
        return self._bytes_a_position * self.length

    def clear(self) -> None:
        """Forget all positions; the memory stays."""
        self.length = 0

    def past(self) -> tuple[Memory, Memory]:
        """Keys and values of the positions so far, [length, L, B, H, E] each."""
        return self._keys.rows(0, self.length), self._values.rows(0, self.length)

    def room(self, positions: int) -> tuple[Memory, Memory]:
        """Where keys and values of the next `positions` go; `advance` makes them part of the past."""
        end = self.length + positions
        if end > self.capacity:
            raise BackendError(f"Internal error: {end} positions in a cache of {self.capacity}; please report it.")
        return self._keys.rows(self.length, end), self._values.rows(self.length, end)

    def advance(self, positions: int) -> None:
        """Count `positions` that the backbone has just written."""
        self.length += positions
