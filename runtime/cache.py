"""The KV cache of the patch loop: allocated once, written in place, read as one contiguous view; and that of a batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runtime.backends.base import DTYPES, Backend, Memory
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


class BatchCache:
    """Keys and values [capacity, L, B, H, E] of B rows of different length, in host memory.

    A row's positions are its first `lengths[row]`. The backbone is passed the view up to the longest row and masks what lies
    behind the shorter ones, which has to be finite: so the memory starts as zeros. A step's new positions come out side by
    side and go each behind its own row's past: 2 L H E values a row are copied, all else stays where it is.
    """

    def __init__(self, sizes: Sizes, precision: Precision, capacity: int) -> None:
        self._shape = (sizes.layers, sizes.kv_heads, sizes.head_dim)
        self._dtype = DTYPES["float16" if precision == "fp16" else "float32"]
        self._bytes_a_position = sizes.cache_bytes(1, precision)
        self.capacity = capacity
        self.lengths = np.zeros(0, np.int64)
        """int64 [B]."""
        self._keys, self._values = self._allocate(0), self._allocate(0)

    @property
    def bytes_allocated(self) -> int:
        """Bytes held now, for B rows of `capacity` positions."""
        return self._keys.nbytes + self._values.nbytes

    @property
    def bytes_used(self) -> int:
        """Bytes that hold keys and values of the rows now."""
        return self._bytes_a_position * int(self.lengths.sum())

    def past(self, positions: int) -> tuple[np.ndarray, np.ndarray]:
        """Keys and values [positions, L, B, H, E], in place."""
        return self._keys[:positions], self._values[:positions]

    def fill(self, row: int, keys: np.ndarray, values: np.ndarray) -> None:
        """Begin `row` with the keys and values [S, L, 1, H, E] of a prefill."""
        length = len(keys)
        self._keys[:length, :, row], self._values[:length, :, row] = keys[:, :, 0], values[:, :, 0]
        self.lengths[row] = length

    def append(self, rows: Sequence[int], keys: np.ndarray, values: np.ndarray) -> None:
        """Put the new position of each of `rows` behind its past; keys and values are a step's [1, L, B, H, E]."""
        index = np.asarray(rows, np.int64)
        ends = self.lengths[index]
        if ends.max(initial=0) >= self.capacity:
            raise BackendError(f"Internal error: {ends.max() + 1} positions in a row of {self.capacity}; please report it.")
        self._keys[ends, :, index] = keys[0][:, index].swapaxes(0, 1)
        self._values[ends, :, index] = values[0][:, index].swapaxes(0, 1)
        self.lengths[index] += 1

    def rearrange(self, rows: Sequence[int | None]) -> None:
        """Go on with these rows, in this order; None is a new, empty one. BackendError where memory does not suffice."""
        kept = [(new, old) for new, old in enumerate(rows) if old is not None]
        keys, values, lengths = self._allocate(len(rows)), self._allocate(len(rows)), np.zeros(len(rows), np.int64)
        for new, old in kept:
            length = lengths[new] = self.lengths[old]
            keys[:length, :, new], values[:length, :, new] = self._keys[:length, :, old], self._values[:length, :, old]
        self._keys, self._values, self.lengths = keys, values, lengths

    def _allocate(self, rows: int) -> np.ndarray:
        layers, heads, width = self._shape
        try:
            return np.zeros((self.capacity, layers, rows, heads, width), self._dtype)
        except MemoryError as error:
            mebibytes = self._bytes_a_position * self.capacity * rows >> 20
            raise BackendError(f"There is not enough memory for the KV cache of {rows} rows ({mebibytes} MiB); take a smaller "
                               "batch.") from error
