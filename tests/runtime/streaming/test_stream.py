"""Cancelling, dropping and queueing streams."""

from __future__ import annotations

import gc
import pickle
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.bundle.manifest import Limits
from runtime.errors import BackendError, BusyError, Cancelled, TextError
from runtime.stats import Hooks
from runtime.streaming.request_queue import CancelToken, RequestQueue
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT, sentence_of
from tests.fixtures import tiny_bundle

LONG = "Hello world, move two meters to the left. " * 200


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[Synthesizer]:
    """A synthesizer that speaks as long as it is let."""
    limits = Limits(max_seconds=600, max_text_ids=256, min_tokens_per_id=0, max_tokens_per_id=1000)
    folder = tiny_bundle.build(tmp_path / "endless", scripts=[tiny_bundle.ENDLESS], limits=limits)
    with Synthesizer(folder, provider="cpu", threads=1) as made:
        yield made


def test_cancel_from_another_thread(endless: Synthesizer) -> None:
    stream = endless.stream(LONG)
    steps: list[int] = []
    step = endless._pipeline.speech.decoder.step

    def watched_step(tokens: object) -> None:
        steps.append(1)
        if len(steps) == 30:
            other = threading.Thread(target=stream.cancel)
            other.start()
            other.join()
        step(tokens)  # type: ignore[arg-type]

    endless._pipeline.speech.decoder.step = watched_step  # type: ignore[method-assign]
    chunks = list(stream)
    assert chunks and len(steps) == 30  # the patch that was being made is the last
    assert stream.stats.stopped_by == "cancel"
    assert list(stream) == []


@pytest.mark.parametrize("how", ["cancel", "close", "with", "drop"])
def test_an_unfinished_stream_lets_go_of_the_synthesizer(synthesizer: Synthesizer, how: str) -> None:
    stream = synthesizer.stream(LONG)
    next(stream)
    if how == "with":
        with stream:
            pass
    elif how != "drop":
        getattr(stream, how)()
    if how == "drop":
        del stream
        gc.collect()
    else:
        assert stream.stats.stopped_by == "cancel"
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"


def test_closing_a_finished_stream_changes_nothing(synthesizer: Synthesizer) -> None:
    with synthesizer.stream(TEXT) as stream:
        assert stream.stats.stopped_by is None
        next(stream)
        assert stream.stats.stopped_by is None and stream.stats.audio_seconds > 0
        list(stream)
    stream.close()
    assert stream.stats.stopped_by == "end"


def test_collecting_a_cancelled_stream(synthesizer: Synthesizer) -> None:
    stream = synthesizer.stream(TEXT)
    stream.cancel()
    with pytest.raises(Cancelled) as error:
        stream.collect()
    sentence_of(error)


def test_waiting_for_oneself_is_refused(synthesizer: Synthesizer) -> None:
    stream = synthesizer.stream(TEXT)
    next(stream)
    with pytest.raises(BusyError) as error:
        synthesizer.synthesize(TEXT)
    assert "unfinished" in sentence_of(error)
    assert len(list(stream)) > 2  # and the first goes on


def test_a_stream_may_change_threads(synthesizer: Synthesizer) -> None:
    stream = synthesizer.stream(LONG)
    next(stream)
    rest: list[int] = []
    taken = threading.Event()

    def consume() -> None:
        next(stream)
        taken.set()
        rest.append(len(list(stream)))

    consumer = threading.Thread(target=consume)
    consumer.start()
    assert taken.wait(5)
    synthesizer.synthesize(TEXT)  # waits, as the turn has gone to the other thread
    consumer.join(10)
    assert rest and rest[0] > 100


def test_a_waiting_stream_can_be_cancelled(synthesizer: Synthesizer) -> None:
    first, second = synthesizer.stream(TEXT), synthesizer.stream(TEXT)
    next(first)
    got: list[object] = []
    waiting = threading.Thread(target=lambda: got.extend(second))
    waiting.start()
    time.sleep(0.1)
    second.cancel()
    waiting.join(5)
    assert not waiting.is_alive() and got == [] and second.stats.stopped_by == "cancel"
    assert len(list(first)) > 2


def test_turn_is_given_back_after_an_error() -> None:
    turn = RequestQueue()
    with pytest.raises(RuntimeError), turn.acquire(CancelToken()):
        raise RuntimeError
    with turn.acquire(CancelToken()) as waited:
        assert waited < 1


@pytest.mark.alone
def test_waiting_is_no_computing(synthesizer: Synthesizer) -> None:
    first, second = synthesizer.stream(TEXT), synthesizer.stream(TEXT)
    next(first)
    waiting = threading.Thread(target=lambda: list(second))
    waiting.start()
    time.sleep(1.0)
    list(first)
    waiting.join(5)
    assert second.stats.compute_seconds < 0.8 and first.stats.compute_seconds < 0.8
    assert second.stats.stopped_by == "end"


def test_an_interrupting_utterance_silences_the_others(synthesizer: Synthesizer) -> None:
    speaking, waiting, later = (synthesizer.stream(LONG) for _ in range(3))
    next(speaking)
    warning = synthesizer.stream(TEXT, interrupt=True)
    assert speaking.cancelled and waiting.cancelled and not warning.cancelled and later.cancelled
    assert list(speaking) == list(waiting) == [] and speaking.stats.stopped_by == "cancel"
    assert list(warning) and warning.stats.stopped_by == "end" and warning.urgent


def test_bad_text_interrupts_nobody(synthesizer: Synthesizer) -> None:
    speaking = synthesizer.stream(LONG)
    next(speaking)
    with pytest.raises(TextError):
        synthesizer.stream("🙂", interrupt=True)
    assert next(speaking) and not speaking.cancelled
    speaking.cancel()


def test_warnings_do_not_interrupt_each_other(synthesizer: Synthesizer) -> None:
    first, second = synthesizer.stream(TEXT, interrupt=True), synthesizer.stream(TEXT, interrupt=True)
    assert len(list(first)) > 2 and len(list(second)) > 2


@pytest.mark.alone
def test_barge_in_from_another_thread(endless: Synthesizer) -> None:
    """A loop that plays is cut off, and the warning is there within a few patches."""
    speaking, ended = endless.stream(LONG), threading.Event()

    def play() -> None:
        list(speaking)
        ended.set()

    player = threading.Thread(target=play)
    player.start()
    time.sleep(0.2)
    begin = time.perf_counter()
    warning = endless.stream("Stop, please.", interrupt=True)
    next(warning)
    assert time.perf_counter() - begin < 1.0 and ended.wait(1)
    warning.cancel()
    player.join(5)


def test_stop_silences_everything(synthesizer: Synthesizer) -> None:
    streams = [synthesizer.stream(LONG), synthesizer.stream(TEXT, interrupt=True)]
    next(streams[1])
    synthesizer.stop()
    assert [list(stream) for stream in streams] == [[], []]
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"


def test_a_cancel_breaks_into_a_running_graph(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The backend is aborted while the graph runs, and the error that it then raises is no failure."""
    stream = synthesizer.stream(TEXT)
    execute = synthesizer._pipeline.backend._execute

    def cancelled_meanwhile(*arguments: object) -> None:
        stream.cancel()
        execute(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(synthesizer._pipeline.backend, "_execute", cancelled_meanwhile)
        assert list(stream) == [] and stream.stats.stopped_by == "cancel"
    assert synthesizer._pipeline.speech.decoder.cache.bytes_used == 0
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"


def test_a_synthesizer_stays_in_its_process(synthesizer: Synthesizer) -> None:
    with pytest.raises(BackendError) as error:
        pickle.dumps(synthesizer)
    assert "another process" in sentence_of(error)


def test_warm_up(tiny: Path) -> None:
    finished: list[object] = []
    with Synthesizer(tiny, provider="cpu", warm_up=True, hooks=Hooks(finished=finished.append)) as synthesizer:
        assert len(finished) == 1 and synthesizer.warm_up() > 0
