"""Times of words: on a bundle whose recogniser hears of each code its own phoneme."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from runtime import AudioChunk, Hooks, OutputSettings, Stats, Synthesizer
from runtime.synthesis.alignment import AlignmentVerifier
from runtime.synthesis.word_times import WordTimer
from runtime.text.frontend import TextFrontEnd
from runtime.text.phonemes import IDS
from tests.fixtures import tiny_bundle

RATE = 1000
TOKEN = 40
"""Samples of a token."""
TEXT = "Hello world. Move two meters to the left!"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with a recogniser."""
    heard = 10 * np.eye(tiny_bundle.CODES, IDS, dtype=np.float32) - 10
    return tiny_bundle.build(tmp_path_factory.mktemp("words") / "bundle", heard=heard)


@pytest.fixture
def timer(folder: Path) -> WordTimer:
    return WordTimer(AlignmentVerifier(folder / tiny_bundle.LISTENER), TOKEN / RATE, RATE)


@pytest.fixture
def speaker(folder: Path) -> Iterator[Synthesizer]:
    with Synthesizer(folder, provider="cpu") as opened:
        yield opened


def test_words_are_where_their_phonemes_are(timer: WordTimer, folder: Path) -> None:
    """Two tokens for each id; `hello` is found before its end is decoded, with an end by the pace so far."""
    utterance = TextFrontEnd.load(folder / "text").utterances("Hello, world.")[0]
    codes = np.repeat(np.array(utterance.ids) % tiny_bundle.CODES, 2)
    assert [word.text for word in utterance.words] == ["Hello", "world"]
    timer.begin_segment(utterance.ids, utterance.words, 1.0, 2.0)
    timer.begin_piece(0, utterance.ids)
    timer.push(codes[:6])
    assert [word.text for word in timer.due(1.05)] == ["Hello"] and timer.last is not None
    assert timer.last.start == 1.0 and timer.last.end > 1.1
    timer.push(codes[6:])
    timer.push(codes[:0])
    assert [word.text for word in timer.due(9.0)] == ["world"] and timer.due(9.0) == ()
    assert [word.text for word in timer.words] == ["Hello", "world"]


def test_the_lag_of_the_recogniser_is_taken_off(folder: Path) -> None:
    utterance = TextFrontEnd.load(folder / "text").utterances("Hello world.")[0]
    codes = np.repeat(np.array(utterance.ids) % tiny_bundle.CODES, 3)
    starts = []
    for lag in (0.0, 0.05):
        timer = WordTimer(AlignmentVerifier(folder / tiny_bundle.LISTENER), TOKEN / RATE, RATE, lag)
        timer.begin_segment(utterance.ids, utterance.words, 0.0, 1.0)
        timer.begin_piece(0, utterance.ids)
        timer.push(codes)
        timer.push(codes[:0])
        starts.append([word.start for word in timer.due(99.0)])
    assert starts[1][0] == 0.0 and starts[1][1] == pytest.approx(starts[0][1] - 0.05)


def test_silence_is_no_part_of_a_word_at_a_pause(timer: WordTimer, folder: Path) -> None:
    utterance = TextFrontEnd.load(folder / "text").utterances("Hello world.")[0]
    ids = len(utterance.ids)
    codes = np.repeat(np.array(utterance.ids) % tiny_bundle.CODES, 5)
    timer.begin_segment(utterance.ids, utterance.words, 0.0, 1.0)
    timer.begin_piece(0, utterance.ids)
    timer.push(codes)
    timer.push(codes[:0])
    samples = np.full(len(codes) * TOKEN, 0.5, np.float32)
    samples[:70] = samples[-500:] = 0
    for part in np.array_split(samples, 7):
        timer.hear(part)
    first, last = timer.due(99.0)
    assert first.start == pytest.approx(0.07) and first.phonemes[0].start == pytest.approx(0.07)
    assert last.end == pytest.approx(ids * 5 * TOKEN / RATE - 0.5) == last.phonemes[-1].end


def test_every_word_comes_once_with_the_chunk_it_begins_in(speaker: Synthesizer) -> None:
    for rate, text in itertools.product((1.0, 1.5), (TEXT, [word + " " for word in TEXT.split()])):
        samples, given = 0, []
        for chunk in speaker.stream(text, rate=rate, words=True):
            samples += len(chunk.samples)
            assert chunk.words is not None and all(word.start <= samples / speaker.sample_rate for word in chunk.words)
            given += chunk.words
        assert [word.text for word in given] == ["Hello", "world", "Move", "two", "meters", "to", "the", "left"]
        assert [TEXT[slice(*word.span)] for word in given] == [word.text for word in given]


def test_all_calls_give_words(speaker: Synthesizer) -> None:
    audio = speaker.synthesize(TEXT, words=True, verify=False)
    assert audio.words and [sentence.text for sentence in audio.sentences] == ["Hello world.", "Move two meters to the left!"]
    assert audio.timestamps.words == audio.words and audio.sentences[-1].end == audio.seconds
    many = speaker.synthesize_many([TEXT, TEXT], words=True, verify=False).collect()
    expected = [(word.text, word.span) for word in audio.words]
    assert all([(word.text, word.span) for word in each.words or ()] == expected for each in many)
    assert [sentence.text for sentence in many[0].sentences] == [sentence.text for sentence in audio.sentences]
    assert (audio.stats.last_word, audio.stats.last_character) == ("left", len(TEXT) - 1)
    chunks: list[AudioChunk] = []
    ended = threading.Event()

    def finish(stats: Stats, error: BaseException | None) -> None:
        ended.set()

    submission = speaker.open_stream_batch(2).submit(TEXT, words=True, on_chunk=chunks.append, on_end=finish)
    assert ended.wait(60) and submission.words is not None
    assert [(word.text, word.span) for word in submission.words] == expected
    assert [(word.text, word.span) for chunk in chunks for word in chunk.words or ()] == expected


def test_ssml_has_spans_in_the_document(speaker: Synthesizer) -> None:
    text = ('\n<speak>é Hello &amp; <sub alias="two meters">2 m</sub><break time="1s"/>'
            '<prosody rate="1.5">left</prosody></speak>')
    words = speaker.synthesize(text, words=True).words
    assert words is not None
    assert [text[slice(*word.span)] for word in words] == ["é", "Hello", "&amp;", "2 m", "2 m", "left"]
    assert words[-1].start > words[-2].end + 0.9


def test_another_sample_rate_loses_no_word(folder: Path) -> None:
    with Synthesizer(folder, provider="cpu", output=OutputSettings(sample_rate=22_050, trailing_silence=0.5)) as speaker:
        words = [word.text for chunk in speaker.stream(TEXT, words=True) for word in chunk.words or ()]
    assert words == ["Hello", "world", "Move", "two", "meters", "to", "the", "left"]


def test_an_interruption_says_how_far_it_came(speaker: Synthesizer) -> None:
    stream = speaker.stream(TEXT, words=True)
    next(stream)
    stream.cancel()
    assert stream.stats.last_word == "Hello" and stream.stats.last_character == 5
    assert stream.words is not None and [word.text for word in stream.words] == ["Hello"]


def test_nothing_is_computed_unless_it_is_asked_for(folder: Path, tiny: Path) -> None:
    stages: list[str] = []
    with Synthesizer(folder, provider="cpu", hooks=Hooks(stage=lambda name, seconds: stages.append(name))) as speaker:
        audio = speaker.synthesize(TEXT, verify=False)
        assert audio.words is None and audio.sentences and audio.stats.last_word is None
        assert audio.stats.stage_seconds.get("listener", 0.0) == 0.0 and "listener" not in stages
        assert all(chunk.words is None for chunk in speaker.stream(TEXT))
    with Synthesizer(tiny, provider="cpu") as deaf:
        audio = deaf.synthesize(TEXT, words=True)
        assert audio.words is None and len(audio.sentences) == 2
