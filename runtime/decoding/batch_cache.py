"""The KV cache of a batch: rows of different length, in host memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from ..backends.base import DTYPES
from ..bundle.contract import Precision, Sizes, layer_names
from ..bundle.manifest import Manifest
from ..errors import BackendError

Arrays = dict[str, np.ndarray]


class BatchCache(ABC):
    """Keys and values of B rows, of which a row's first `lengths[row]` positions are there.

    The backbone masks positions after a row's past. They have to be finite, so the memory starts as zeros.
    """

    fetched: tuple[str, ...] = ()
    """The backbone's outputs that `append` wants."""

    def __init__(self, sizes: Sizes, precision: Precision, capacity: int) -> None:
        self._layers, self._heads, self._width = sizes.layers, sizes.kv_heads, sizes.head_dim
        self._dtype = DTYPES["float16" if precision == "fp16" else "float32"]
        self._bytes_a_position = sizes.cache_bytes(1, precision)
        self.capacity = capacity
        self.lengths = np.zeros(0, np.int64)
        """int64 [B]."""

    @property
    def bytes_allocated(self) -> int:
        """Bytes held now, for B rows of `capacity` positions."""
        return self._bytes_a_position * self.capacity * len(self.lengths)

    @property
    def bytes_used(self) -> int:
        """Bytes that hold keys and values of the rows now."""
        return self._bytes_a_position * int(self.lengths.sum())

    @abstractmethod
    def fill(self, row: int, keys: np.ndarray, values: np.ndarray) -> None:
        """Begin `row` with the keys and values [S, L, 1, H, E] of a prefill."""

    @abstractmethod
    def tensors(self, rows: Sequence[int]) -> tuple[Arrays, Arrays]:
        """Return the inputs of a step of `rows`, with the `past_length` of each, and the memory that it writes in place."""

    @abstractmethod
    def append(self, rows: Sequence[int], outputs: Arrays) -> None:
        """Make the new position of each of `rows` a part of its past; `outputs` are those `fetched`."""

    @abstractmethod
    def rearrange(self, rows: Sequence[int | None]) -> None:
        """Go on with these rows, in this order; None is a new, empty one. BackendError where memory does not suffice."""

    def _ends(self, rows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """`rows` as an index, and their lengths, which have room for one more."""
        index = np.asarray(rows, np.int64)
        ends = self.lengths[index]
        if ends.max(initial=0) >= self.capacity:
            raise BackendError(f"Internal error: {ends.max() + 1} positions in a row of {self.capacity}; please report it.")
        return index, ends

    def _zeros(self, *shape: int) -> np.ndarray:
        try:
            return np.zeros(shape, self._dtype)
        except MemoryError as error:
            mebibytes = int(np.prod(shape)) * self._dtype.itemsize >> 20
            raise BackendError(f"There is not enough memory for the KV cache of a batch ({mebibytes} MiB); take a smaller "
                               "batch.") from error


class PositionMajorBatch(BatchCache):
    """Keys and values [capacity, L, B, H, E].

    The backbone is passed the view up to the longest row. A step's new positions are returned side by side and each is
    copied after its own row's past: 2 L H E values per row are copied, nothing else moves.
    """

    fetched = ("present_keys", "present_values")

    def __init__(self, sizes: Sizes, precision: Precision, capacity: int) -> None:
        super().__init__(sizes, precision, capacity)
        self._keys, self._values = self._allocate(0), self._allocate(0)

    def past(self, positions: int) -> tuple[np.ndarray, np.ndarray]:
        """Keys and values [positions, L, B, H, E], in place."""
        return self._keys[:positions], self._values[:positions]

    def fill(self, row: int, keys: np.ndarray, values: np.ndarray) -> None:
        length = len(keys)
        self._keys[:length, :, row], self._values[:length, :, row] = keys[:, :, 0], values[:, :, 0]
        self.lengths[row] = length

    def tensors(self, rows: Sequence[int]) -> tuple[Arrays, Arrays]:
        lengths = np.zeros(len(self.lengths), np.int64)
        lengths[rows] = self.lengths[rows]
        keys, values = self.past(int(lengths.max(initial=0)))
        return {"past_length": lengths, "past_keys": keys, "past_values": values}, {}

    def append(self, rows: Sequence[int], outputs: Arrays) -> None:
        index, ends = self._ends(rows)
        self._keys[ends, :, index] = outputs["present_keys"][0][:, index].swapaxes(0, 1)
        self._values[ends, :, index] = outputs["present_values"][0][:, index].swapaxes(0, 1)
        self.lengths[index] += 1

    def rearrange(self, rows: Sequence[int | None]) -> None:
        keys, values, lengths = self._allocate(len(rows)), self._allocate(len(rows)), np.zeros(len(rows), np.int64)
        for new, old in enumerate(rows):
            if old is not None:
                length = lengths[new] = self.lengths[old]
                keys[:length, :, new], values[:length, :, new] = self._keys[:length, :, old], self._values[:length, :, old]
        self._keys, self._values, self.lengths = keys, values, lengths

    def _allocate(self, rows: int) -> np.ndarray:
        return self._zeros(self.capacity, self._layers, rows, self._heads, self._width)


class LayeredBatch(BatchCache):
    """Keys and values of each layer, [B, H, capacity, E], which every row's attention writes in place, at its own length."""

    def __init__(self, sizes: Sizes, precision: Precision, capacity: int) -> None:
        super().__init__(sizes, precision, capacity)
        self._names = layer_names(sizes)
        self._pieces = self._allocate(0)

    def fill(self, row: int, keys: np.ndarray, values: np.ndarray) -> None:
        length = len(keys)
        for first, kind in enumerate((keys, values)):
            self._pieces[first::2, row, :, :length] = kind[:, :, 0].transpose(1, 2, 0, 3)
        self.lengths[row] = length

    def tensors(self, rows: Sequence[int]) -> tuple[Arrays, Arrays]:
        # Idle rows of the batch are written too: after their past, where their own step will write again.
        lengths = np.minimum(self.lengths, self.capacity - 1)
        pieces = dict(zip(self._names, self._pieces, strict=True))
        return ({"past_length": lengths, **{f"past_{name}": piece for name, piece in pieces.items()}},
                {f"present_{name}": piece for name, piece in pieces.items()})

    def append(self, rows: Sequence[int], outputs: Arrays) -> None:
        index, _ = self._ends(rows)
        self.lengths[index] += 1

    def rearrange(self, rows: Sequence[int | None]) -> None:
        pieces, lengths = self._allocate(len(rows)), np.zeros(len(rows), np.int64)
        for new, old in enumerate(rows):
            if old is not None:
                length = lengths[new] = self.lengths[old]
                pieces[:, new, :, :length] = self._pieces[:, old, :, :length]
        self._pieces, self.lengths = pieces, lengths

    def _allocate(self, rows: int) -> np.ndarray:
        return self._zeros(len(self._names), rows, self._heads, self.capacity, self._width)


def open_batch_cache(manifest: Manifest, capacity: int) -> BatchCache:
    """The cache that a batch of this bundle's backbone reads."""
    form = LayeredBatch if manifest.cpu else PositionMajorBatch
    return form(manifest.sizes, manifest.precision, capacity)
