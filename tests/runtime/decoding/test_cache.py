"""The KV cache: its bytes, its views, its limits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.backends.base import Memory
from runtime.bundle.contract import Precision
from runtime.decoding.cache import KVCache
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


class Host:
    """A backend's memory, and nothing else of it."""

    @staticmethod
    def allocate(shape: tuple[int, ...], dtype: str) -> Memory:
        return Memory.of(np.zeros(shape, np.float32 if dtype == "float32" else np.float16), dtype)  # type: ignore[arg-type]

    @staticmethod
    def clear(memory: Memory) -> None:
        """Leave it: a host reads no masked position."""


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 40), st.integers(1, 3), st.sampled_from(["fp32", "fp16"]),
       st.lists(st.one_of(st.integers(1, 12), st.just(0)), max_size=20))
def test_any_sequence_of_steps(capacity: int, batch: int, precision: Precision, steps: list[int]) -> None:
    """Steps of any size, 0 for a new utterance: what was written is what the past shows, in order and in place; no overflow."""
    cache = KVCache(Host(), sizes(), precision, capacity, batch)  # type: ignore[arg-type]
    keys, values = cache._keys.owner, cache._values.owner
    written: list[float] = []
    allocated, mark = cache.bytes_allocated, 0.0
    for step in steps:
        if not step:
            cache.clear()
            written = []
            continue
        if len(written) + step > capacity:
            with pytest.raises(BackendError):
                cache.room(step)
            continue
        room = cache.room(step)
        assert [part.pointer for part in room] == [past.pointer + past.nbytes for past in cache.past()]
        for _ in range(step):
            mark += 1
            keys[len(written)], values[len(written)] = mark, -mark  # type: ignore[index]
            written.append(mark)
        cache.advance(step)
        past_keys, past_values = cache.past()
        assert past_keys.shape == past_values.shape == (len(written), LAYERS, batch, 1, HEAD_DIM)
        assert past_keys.pointer == keys.ctypes.data and past_values.pointer == values.ctypes.data  # type: ignore[attr-defined]
        assert keys[:len(written), 0, 0, 0, 0].tolist() == written  # type: ignore[index]
        assert cache.bytes_used == sizes().cache_bytes(len(written), precision, batch) <= allocated == cache.bytes_allocated
