"""The KV cache: its bytes, its views, its limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from runtime.backends.base import Memory
from runtime.cache import KVCache
from runtime.contract import Precision
from runtime.errors import BackendError
from tests.conftest import sentence_of
from tests.fixtures.tiny_bundle import HEAD_DIM, LAYERS, sizes


@pytest.mark.parametrize(("precision", "element"), [("fp32", 4), ("fp16", 2)])
@pytest.mark.parametrize("batch", [1, 3])
def test_bytes(load: Callable[..., tuple[object, object]], precision: Precision, element: int, batch: int) -> None:
    """2 L H E positions x bytes of an element, and as much for every row."""
    _, backend = load()
    cache = KVCache(backend, sizes(), precision, capacity=10, batch=batch)  # type: ignore[arg-type]
    position = 2 * LAYERS * 1 * HEAD_DIM * element * batch
    assert (cache.bytes_allocated, cache.bytes_used) == (10 * position, 0)
    cache.advance(7)
    assert cache.bytes_used == 7 * position == sizes().cache_bytes(7, precision, batch)
    cache.clear()
    assert (cache.bytes_allocated, cache.bytes_used) == (10 * position, 0)


def test_new_positions_lie_right_behind_the_past(load: Callable[..., tuple[object, object]]) -> None:
    _, backend = load()
    cache = KVCache(backend, sizes(), "fp32", capacity=10)  # type: ignore[arg-type]
    first = cache.room(3)
    cache.advance(3)
    past, second = cache.past(), cache.room(2)
    for kind in (0, 1):
        assert past[kind].pointer == first[kind].pointer and past[kind].shape == (3, LAYERS, 1, 1, HEAD_DIM)
        assert second[kind].pointer == first[kind].pointer + first[kind].nbytes
        assert second[kind].shape == (2, LAYERS, 1, 1, HEAD_DIM)
    assert first[0].pointer != first[1].pointer


def test_overflow_is_refused(load: Callable[..., tuple[object, object]]) -> None:
    _, backend = load()
    cache = KVCache(backend, sizes(), "fp32", capacity=4)  # type: ignore[arg-type]
    cache.room(4)
    with pytest.raises(BackendError) as error:
        cache.room(5)
    assert "5 positions" in sentence_of(error)


def test_rows_are_views_in_place() -> None:
    array = np.arange(24, dtype=np.float32).reshape(4, 6)
    rows = Memory.of(array, "float32").rows(1, 3)
    assert rows.pointer == array[1:].ctypes.data and rows.shape == (2, 6) and rows.nbytes == 48
