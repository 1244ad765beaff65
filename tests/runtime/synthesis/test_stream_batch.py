"""Streams that share a batch: the samples of a stream, fair rows, and cancels, pauses and errors that concern one utterance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runtime import BackendError, OptionError, Stats, Synthesizer, TextError, VoiceError
from runtime.audio import AudioChunk
from runtime.synthesis.stream_batch import StreamBatch
from runtime.synthesis.submission import Submission
from tests.conftest import TEXT

LONG = "Hello world, move two meters to the left. " * 40


@dataclass
class Listener:
    """Collects one utterance."""

    chunks: list[AudioChunk] = field(default_factory=list)
    stats: Stats | None = None
    error: BaseException | None = None
    first: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    block: Callable[[], None] = lambda: None

    def on_chunk(self, chunk: AudioChunk) -> None:
        self.chunks.append(chunk)
        self.first.set()
        self.block()

    def on_end(self, stats: Stats, error: BaseException | None) -> None:
        self.stats, self.error = stats, error
        self.ended.set()

    def wait(self) -> np.ndarray:
        """All samples, float32 [T], once it has ended."""
        assert self.ended.wait(30)
        return np.concatenate([np.zeros(0, np.float32), *(chunk.samples for chunk in self.chunks)])


@pytest.fixture
def batch(synthesizer: Synthesizer) -> Iterator[StreamBatch]:
    before = set(threading.enumerate())  # a server of another test may still have its own batch
    made = synthesizer.open_stream_batch(3)
    yield made
    made.close()
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name in ("tldr-batch", "tldr-utterance")]


def begin(batch: StreamBatch, text: Any = TEXT, **options: Any) -> tuple[Submission, Listener]:
    listener = Listener()
    return batch.submit(text, on_chunk=listener.on_chunk, on_end=listener.on_end, **options), listener


@pytest.mark.parametrize("exact", [True, False])
def test_every_utterance_has_the_samples_of_a_stream(synthesizer: Synthesizer, exact: bool) -> None:
    cases: list[dict[str, Any]] = [
        {"text": TEXT}, {"text": TEXT, "voice": "bass", "seed": 3}, {"text": LONG, "seed": 1, "rate": 1.3},
        {"text": "<speak>One.<break time='300ms'/>Two <prosody rate='slow'>three</prosody>.</speak>"},
        {"text": TEXT, "voice": "prompted", "temperature": 0.0}, {"text": "Hello."}, {"text": LONG[:400], "seed": 7}]
    batch = synthesizer.open_stream_batch(3, exact=exact)
    listeners = [begin(batch, **case)[1] for case in cases]
    sounds = [listener.wait() for listener in listeners]
    batch.close()
    for case, sound, listener in zip(cases, sounds, listeners, strict=True):
        stream = synthesizer.stream(case.pop("text"), **case)
        chunks = list(stream)
        np.testing.assert_array_equal(sound, np.concatenate([chunk.samples for chunk in chunks]))
        assert [(chunk.sentence, chunk.text) for chunk in listener.chunks] == [(chunk.sentence, chunk.text) for chunk in chunks]
        assert listener.error is None and listener.stats is not None
        stats, alone = listener.stats, stream.stats
        assert (stats.patches, stats.tokens, stats.sentences, stats.stopped_by) == (
            alone.patches, alone.tokens, alone.sentences, alone.stopped_by)
        assert 0 < stats.ttfa_seconds <= stats.compute_seconds and stats.audio_seconds == alone.audio_seconds


def test_text_that_is_still_being_written(batch: StreamBatch, synthesizer: Synthesizer) -> None:
    go_on = threading.Event()

    def pieces() -> Iterator[str]:
        yield "Hello world. "
        yield "Move "
        assert go_on.wait(30)
        yield "two meters to the left!"

    _, listener = begin(batch, pieces())
    assert listener.first.wait(30)  # the first sentence sounds before the second is written
    np.testing.assert_array_equal(begin(batch)[1].wait(), synthesizer.synthesize(TEXT).samples)  # nor does it delay others
    go_on.set()
    assert len(listener.wait()) and listener.chunks[-1].sentence == 1 and listener.error is None


def test_more_utterances_than_rows_take_turns(batch: StreamBatch) -> None:
    """A long text does not delay the first sound of short ones: rows are given back after each sentence."""
    order: list[str] = []
    long = [begin(batch, LONG, client=str(index)) for index in range(3)]
    for _, listener in long:
        assert listener.first.wait(30)
    short = [begin(batch, "Hello.", client=str(index))[1] for index in range(3, 8)]
    for listener in short:
        listener.wait()
        order.append("short")
    assert not any(listener.ended.is_set() for _, listener in long)
    for submission, _ in long:
        submission.cancel()


def test_a_client_of_one_comes_before_a_client_of_many(batch: StreamBatch, synthesizer: Synthesizer) -> None:
    started: list[str] = []
    with synthesizer.stream(LONG) as held:  # the batch waits for this stream
        next(held)
        listeners = []
        for client in (*["many"] * 8, "one"):
            listener = Listener(block=lambda client=client: started.append(client))  # type: ignore[misc]
            batch.submit("Hello.", client=client, on_chunk=listener.on_chunk, on_end=listener.on_end)
            listeners.append(listener)
        deadline = time.monotonic() + 30
        while len(batch._pending) < len(listeners) and time.monotonic() < deadline:
            time.sleep(0.01)
    for listener in listeners:
        listener.wait()
    assert "one" in started[:3] and started.count("many") >= 8


def test_a_cancel_ends_one_and_leaves_the_others(batch: StreamBatch, synthesizer: Synthesizer) -> None:
    running, first = begin(batch, LONG)
    _, second = begin(batch, TEXT, seed=3)
    waiting = [begin(batch, LONG, client="x") for _ in range(6)]
    assert first.first.wait(30)
    running.cancel()
    for submission, listener in waiting:
        submission.cancel()
        listener.wait()
    first.wait()
    for listener in (first, *(listener for _, listener in waiting)):
        assert listener.error is None and listener.stats is not None and listener.stats.stopped_by == "cancel"
    np.testing.assert_array_equal(second.wait(), synthesizer.synthesize(TEXT, seed=3).samples)
    np.testing.assert_array_equal(begin(batch)[1].wait(), synthesizer.synthesize(TEXT).samples)
    assert batch.waiting == 0


def test_a_pause_holds_the_next_sentence_and_nobody_else(batch: StreamBatch, synthesizer: Synthesizer) -> None:
    listener = Listener()
    made: list[Submission] = []
    listener.block = lambda: made and made[0].pause()
    made.append(batch.submit(TEXT, on_chunk=listener.on_chunk, on_end=listener.on_end))
    made[0].pause()
    np.testing.assert_array_equal(begin(batch)[1].wait(), synthesizer.synthesize(TEXT).samples)
    assert not listener.ended.is_set() and {chunk.sentence for chunk in listener.chunks} <= {0}
    listener.block = lambda: None
    made[0].resume()
    np.testing.assert_array_equal(listener.wait(), synthesizer.synthesize(TEXT).samples)


def test_a_paused_utterance_can_be_cancelled(batch: StreamBatch) -> None:
    submission, listener = begin(batch, LONG)
    submission.pause()
    submission.cancel()
    listener.wait()
    assert listener.stats is not None and listener.stats.stopped_by == "cancel"


def test_bad_input_is_refused_at_once_or_ends_its_own_utterance(batch: StreamBatch) -> None:
    for error, options in ((TextError, {"text": " "}), (VoiceError, {"voice": "tenor"}), (OptionError, {"rate": 3}),
                           (OptionError, {"seed": -1})):
        with pytest.raises(error):
            begin(batch, **options)
    good = begin(batch)[1]
    _, unspeakable = begin(batch, "🙂")
    unspeakable.wait()
    assert isinstance(unspeakable.error, TextError) and not unspeakable.chunks
    good.wait()
    assert good.error is None


def test_a_backend_that_fails_ends_what_runs_and_speaks_again(batch: StreamBatch, synthesizer: Synthesizer,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    backend = batch._parts.backend
    run, failing = type(backend).run, True

    def broken(self: Any, name: str, *arguments: Any, **options: Any) -> Any:
        if failing and name == "compressor":
            raise BackendError("The device is gone.")
        return run(self, name, *arguments, **options)

    monkeypatch.setattr(type(backend), "run", broken)
    listeners = [begin(batch, LONG)[1] for _ in range(5)]
    for listener in listeners:
        listener.wait()
        assert isinstance(listener.error, BackendError) and "gone" in str(listener.error)
    failing = False
    np.testing.assert_array_equal(begin(batch)[1].wait(), synthesizer.synthesize(TEXT).samples)


def test_a_callback_that_raises_ends_its_own_utterance(batch: StreamBatch, synthesizer: Synthesizer) -> None:
    def fail() -> None:
        raise RuntimeError("listener")

    bad = Listener(block=fail)
    batch.submit(LONG, on_chunk=bad.on_chunk, on_end=bad.on_end)
    np.testing.assert_array_equal(begin(batch)[1].wait(), synthesizer.synthesize(TEXT).samples)
    bad.wait()
    assert isinstance(bad.error, RuntimeError)


def test_plain_calls_wait_and_stop_and_interrupts_cancel(batch: StreamBatch, synthesizer: Synthesizer) -> None:
    _, listener = begin(batch, LONG)
    assert listener.first.wait(30)
    warning = synthesizer.synthesize("Stop!", interrupt=True)
    assert warning.seconds and listener.ended.wait(30) and listener.stats is not None
    assert listener.stats.stopped_by == "cancel"
    _, listener = begin(batch, LONG)
    assert listener.first.wait(30)
    synthesizer.stop()
    listener.wait()
    assert listener.stats is not None and listener.stats.stopped_by == "cancel"
    first = begin(batch)[1]
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"
    first.wait()


def test_closing_ends_everything(tiny: Path) -> None:
    with Synthesizer(tiny, provider="cpu", threads=1) as synthesizer:
        batch = synthesizer.open_stream_batch(2)
        listeners = [begin(batch, LONG)[1] for _ in range(4)]
        assert listeners[0].first.wait(30)
    for listener in listeners:
        listener.wait()
        assert listener.stats is not None and listener.stats.stopped_by == "cancel"
    batch.close()
    with pytest.raises(BackendError, match="closed"):
        begin(batch)
    with pytest.raises(BackendError, match="closed"):
        synthesizer.open_stream_batch()


def test_many_threads_submit_and_cancel_at_random(batch: StreamBatch, synthesizer: Synthesizer) -> None:
    """After 120 utterances, a third of them cancelled at some time, the next one has its samples and nothing is left."""
    random = np.random.default_rng(0)
    expected = {seed: synthesizer.synthesize(TEXT, seed=seed).samples for seed in range(4)}

    def use(seed: int, delays: list[float]) -> None:
        for delay in delays:
            submission, listener = begin(batch, TEXT, seed=seed, client=str(seed))
            if delay < 0.004:
                time.sleep(delay)
                submission.cancel()
                listener.wait()
            else:
                np.testing.assert_array_equal(listener.wait(), expected[seed])

    threads = [threading.Thread(target=use, args=(seed, list(random.uniform(0, 0.012, 30)))) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    np.testing.assert_array_equal(begin(batch, seed=2)[1].wait(), expected[2])
    assert batch.waiting == 0
