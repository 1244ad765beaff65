"""Text in all its forms, spoken: incremental, SSML, with another rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from runtime.errors import OptionError, TextError
from runtime.synthesis.text_queue import PIECES
from runtime.synthesizer import Synthesizer
from tests.conftest import TEXT, sentence_of


def test_words_are_spoken_while_the_writer_goes_on(synthesizer: Synthesizer) -> None:
    go_on = threading.Event()

    def writer() -> Iterator[str]:
        yield from ["Hello", "world.", "Move"]
        go_on.wait(10)
        yield from ["two", "meters", "to", "the", "left!"]

    stream = synthesizer.stream(writer())
    first = next(stream)
    assert first.text.startswith("Hello world") and not go_on.is_set()
    go_on.set()
    rest = [chunk.samples for chunk in stream]
    whole = synthesizer.synthesize(TEXT)
    assert np.array_equal(np.concatenate([first.samples, *rest]), whole.samples)
    assert stream.stats.sentences == 2


@pytest.mark.alone
def test_waiting_for_words_is_no_computing(synthesizer: Synthesizer) -> None:
    def writer() -> Iterator[str]:
        yield "Hello world. "
        time.sleep(0.6)
        yield "Move."

    stats = synthesizer.synthesize(writer()).stats
    assert stats.compute_seconds < 0.5 and stats.ttfa_seconds < 0.5


@pytest.mark.parametrize("end", [lambda stream: stream.cancel(), lambda stream: stream.close()])
@pytest.mark.alone
def test_a_stuck_writer_holds_nobody(synthesizer: Synthesizer, end: Callable[[object], None]) -> None:
    stuck = threading.Event()

    def writer() -> Iterator[str]:
        yield "Hello world. Move "
        stuck.wait(30)

    stream = synthesizer.stream(writer())
    next(stream)
    ended = threading.Event()

    def consume() -> None:
        list(stream)
        ended.set()

    thread = threading.Thread(target=consume)
    thread.start()
    time.sleep(0.1)
    assert not ended.is_set()
    begin = time.perf_counter()
    end(stream)
    assert ended.wait(5) and time.perf_counter() - begin < 1
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"
    stuck.set()
    thread.join(5)


def test_a_fast_writer_is_held_back_and_sent_away(synthesizer: Synthesizer) -> None:
    written, closed = 0, threading.Event()

    def writer() -> Iterator[str]:
        nonlocal written
        try:
            while True:
                written += 1
                yield "hello world. "
        finally:
            closed.set()

    with synthesizer.stream(writer()) as stream:
        next(stream)
        time.sleep(0.2)
        assert written <= PIECES + 10
    assert closed.wait(5)


def test_errors_of_the_writer_come_through(synthesizer: Synthesizer) -> None:
    def writer() -> Iterator[str]:
        yield "Hello world. "
        raise ValueError("the model is gone")

    chunks = synthesizer.stream(writer())
    with pytest.raises(ValueError, match="the model is gone"):
        list(chunks)
    assert synthesizer.synthesize(TEXT).stats.stopped_by == "end"


@pytest.mark.parametrize("pieces", [[], ["", " "], ["🙂 ", "..."], ["Hello. ", 5]])
def test_pieces_that_cannot_be_spoken(synthesizer: Synthesizer, pieces: list[str]) -> None:
    with pytest.raises(TextError) as error:
        synthesizer.synthesize(iter(pieces))
    sentence_of(error)


@pytest.mark.parametrize("text", [5, None, b"hello", object()])
def test_what_is_no_text(synthesizer: Synthesizer, text: str) -> None:
    with pytest.raises(TextError) as error:
        synthesizer.stream(text)
    assert "string" in sentence_of(error)


def test_an_emoji_among_pieces_is_passed_over(synthesizer: Synthesizer) -> None:
    with_smile = synthesizer.synthesize(["Hello world. ", "🙂! ", "Move two meters to the left!"])
    assert np.array_equal(with_smile.samples, synthesizer.synthesize(TEXT).samples)


def test_breaks_are_silence_of_their_length(synthesizer: Synthesizer) -> None:
    document = '<speak>Hello world.<break time="700ms"/>Move two meters to the left!<break time="0.3s"/></speak>'
    chunks = list(synthesizer.stream(document))
    silent = [chunk.seconds for chunk in chunks if not chunk.samples.any()]
    assert silent == [pytest.approx(0.7), pytest.approx(0.3)]
    spoken = np.concatenate([chunk.samples for chunk in chunks if chunk.samples.any()])
    plain = np.concatenate([chunk.samples for chunk in synthesizer.stream(TEXT) if chunk.samples.any()])
    assert np.array_equal(spoken, plain)


def test_rate_changes_length_only(synthesizer: Synthesizer) -> None:
    plain, fast = synthesizer.synthesize("Hello world."), synthesizer.synthesize("Hello world.", rate=1.25)
    assert len(fast.samples) == round(len(plain.samples) / 1.25) and fast.stats.tokens == plain.stats.tokens
    document = synthesizer.synthesize('<speak><prosody rate="fast">Hello world.</prosody></speak>')
    assert np.array_equal(document.samples, fast.samples)
    streamed = [chunk.samples for chunk in synthesizer.stream("Hello world.", rate=1.25)]
    assert len(streamed) > 2 and np.array_equal(np.concatenate(streamed), fast.samples)
    with pytest.raises(OptionError, match="rate"):
        synthesizer.stream("Hello.", rate=3)


@pytest.mark.parametrize(("document", "part"), [
    ("<speak><audio/></speak>", "audio"), ("<speak></speak>", "nothing"), ("<speak><break/></speak>", "nothing"),
    ("<speak>hello", "well-formed"),
])
def test_ssml_that_cannot_be_spoken_is_refused_at_the_call(synthesizer: Synthesizer, document: str, part: str) -> None:
    with pytest.raises(TextError) as error:
        synthesizer.synthesize(document)
    assert part in sentence_of(error)
