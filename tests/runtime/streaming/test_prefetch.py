"""Streams made ahead: order, back-pressure, cancelling, coroutines."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Iterator

import numpy as np
import pytest

from runtime.errors import BackendError, BusyError, Cancelled, OptionError, TextError
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT, sentence_of

LONG = "Hello world, move two meters to the left. " * 200


def threads() -> int:
    """Return the number of threads of prefetching streams; other tests of the process may leave the server's encoders."""
    return sum(thread.name == "tldr-stream" for thread in threading.enumerate())


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    gc.collect()
    deadline = time.monotonic() + 5
    while threads() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads() == 0


def test_the_same_samples_made_ahead(synthesizer: Synthesizer) -> None:
    whole = synthesizer.synthesize(TEXT)
    stream = synthesizer.stream(TEXT).buffered(0.5)
    assert np.array_equal(np.concatenate([chunk.samples for chunk in stream]), whole.samples)
    assert stream.stats.stopped_by == "end" and stream.buffered_seconds == 0
    assert stream.sample_rate == whole.sample_rate and list(stream) == []


def test_a_slow_consumer_holds_the_maker_back(synthesizer: Synthesizer) -> None:
    with synthesizer.stream(LONG).buffered(2.0) as stream:
        next(stream)
        time.sleep(0.5)
        held = stream.buffered_seconds
        assert 0.5 < held <= 2.0
        made = stream.stats.audio_seconds
        time.sleep(0.3)
        assert stream.stats.audio_seconds == made and stream.buffered_seconds == held
        for _ in range(3):
            next(stream)
        time.sleep(0.5)
        assert stream.stats.audio_seconds > made
    assert stream.stats.stopped_by == "cancel"


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_buffer_holds_something(synthesizer: Synthesizer, seconds: float) -> None:
    with pytest.raises(OptionError) as error:
        synthesizer.stream(TEXT).buffered(seconds)
    sentence_of(error)


def test_cancel_drops_what_waits(synthesizer: Synthesizer) -> None:
    stream = synthesizer.stream(LONG)
    ahead = stream.buffered(5.0)
    next(ahead)
    time.sleep(0.2)
    stream.cancel()  # not through the buffer: an interrupting utterance knows only the stream
    assert list(ahead) == [] and ahead.buffered_seconds == 0
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"


def test_a_dropped_buffer_frees_the_synthesizer(synthesizer: Synthesizer) -> None:
    ahead = synthesizer.stream(LONG).buffered()
    next(ahead)
    del ahead
    gc.collect()
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"


def test_errors_reach_the_consumer(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise BackendError("The device is gone; plug it in again.")

    monkeypatch.setattr(synthesizer._pipeline.backend, "_execute", fail)
    with pytest.raises(BackendError, match="gone"):
        list(synthesizer.stream(TEXT).buffered())
    with pytest.raises(BackendError, match="gone"):
        asyncio.run(synthesizer.synthesize_async(TEXT))


def test_coroutines_hear_the_same(synthesizer: Synthesizer) -> None:
    whole = synthesizer.synthesize(TEXT, seed=3)

    async def listen() -> list[np.ndarray]:
        async with synthesizer.stream(TEXT, seed=3) as stream:
            return [chunk.samples async for chunk in stream]

    assert np.array_equal(np.concatenate(asyncio.run(listen())), whole.samples)
    alone = asyncio.run(synthesizer.synthesize_async(TEXT, seed=3))
    assert np.array_equal(alone.samples, whole.samples) and alone.stats.tokens == whole.stats.tokens


def test_many_tasks_take_turns_and_the_loop_goes_on(synthesizer: Synthesizer) -> None:
    """More streams than any executor has threads, and a task that must be served all the while."""
    text = " ".join([TEXT] * 6)  # long beside the start of 40 threads, on a busy machine too

    async def speak_all() -> tuple[list[np.ndarray], int]:
        beats, done = 0, False

        async def beat() -> None:
            nonlocal beats
            while not done:
                beats += 1
                await asyncio.sleep(0.001)

        heart = asyncio.create_task(beat())
        spoken = await asyncio.gather(*(synthesizer.synthesize_async(text, seed=seed) for seed in range(40)))
        done = True
        await heart
        return [audio.samples for audio in spoken], beats

    spoken, beats = asyncio.run(speak_all())
    for seed in (0, 7, 39):
        assert np.array_equal(spoken[seed], synthesizer.synthesize(text, seed=seed).samples)
    assert beats > 20


def test_a_cancelled_task_cancels_its_stream(synthesizer: Synthesizer) -> None:
    stream = synthesizer.stream(LONG)

    async def listen() -> None:
        async for _ in stream:
            await asyncio.sleep(0.01)

    async def cancel() -> None:
        task = asyncio.create_task(listen())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    gc.collect()
    assert stream.cancelled and synthesizer.synthesize(TEXT).stats.stopped_by == "end"


def test_a_task_that_waits_for_itself_is_told(synthesizer: Synthesizer) -> None:
    async def speak() -> None:
        async with synthesizer.stream(LONG).buffered(0.5) as stream:
            await anext(stream)
            with pytest.raises(BusyError):
                await synthesizer.synthesize_async(TEXT)

    asyncio.run(speak())


def test_collecting_what_was_stopped(synthesizer: Synthesizer) -> None:
    async def speak() -> None:
        task = asyncio.create_task(synthesizer.synthesize_async(LONG))
        await asyncio.sleep(0.1)
        synthesizer.stop()
        with pytest.raises(Cancelled):
            await task

    asyncio.run(speak())


async def words(text: str, then: Exception | None = None) -> AsyncIterator[str]:
    for word in text.split():
        await asyncio.sleep(0.001)
        yield word + " "
    if then is not None:
        raise then


def test_text_from_an_asynchronous_writer(synthesizer: Synthesizer) -> None:
    async def listen(then: Exception | None = None) -> np.ndarray:
        return np.concatenate([chunk.samples async for chunk in synthesizer.stream(words(TEXT, then))])

    heard = asyncio.run(listen())
    assert np.array_equal(heard, synthesizer.synthesize(iter(TEXT.split(" "))).samples)
    with pytest.raises(RuntimeError, match="model is gone"):
        asyncio.run(listen(RuntimeError("model is gone")))


def test_an_asynchronous_writer_needs_its_loop(synthesizer: Synthesizer) -> None:
    with pytest.raises(TextError) as error:
        synthesizer.synthesize(words(TEXT))
    assert "event loop" in sentence_of(error)

    async def plain_loop() -> None:
        with pytest.raises(TextError) as error:
            list(synthesizer.stream(words(TEXT)))
        assert "async for" in sentence_of(error)

    asyncio.run(plain_loop())


def test_a_writer_that_never_ends_does_not_hold_a_cancel(synthesizer: Synthesizer) -> None:
    async def stuck() -> AsyncIterator[str]:
        yield "Hello world. "
        yield "Move "
        await asyncio.sleep(3600)

    async def listen() -> None:
        stream = synthesizer.stream(stuck())
        got = 0

        async def consume() -> None:
            nonlocal got
            async for _ in stream:
                got += 1

        task = asyncio.create_task(consume())
        await asyncio.sleep(0.2)
        stream.cancel()
        await asyncio.wait_for(task, 2)
        assert got > 1

    asyncio.run(listen())
