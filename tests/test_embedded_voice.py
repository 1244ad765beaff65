"""The shipped voice, exported as `make demo` exports it: it speaks, at the right length, the same each time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.responsiveness import chunkings
from runtime import Bundle, Synthesizer
from runtime.backends import create_backend
from runtime.decoding.decoder import Decoder
from runtime.decoding.sampling import uniform_source
from runtime.options import SamplingOptions
from runtime.synthesis.alignment import AlignmentVerifier
from runtime.synthesis.attempts import MAX_OMISSION_SCORE
from runtime.synthesis.sentence import gather
from runtime.text.frontend import TextFrontEnd
from runtime.text.phonemes import PUNCTUATION, SYMBOLS
from runtime.text.pronunciation.lexicon import VOWELS
from training.data.token_file import TOKENS, read_spoken

VOICE = Path(__file__).parents[1] / "voices" / "embedded"
SENTENCE = "Move two meters to the left."


@pytest.fixture(scope="module")
def synthesizer(embedded_voice: Path) -> Iterator[Synthesizer]:
    with Synthesizer(embedded_voice, provider="cpu") as opened:
        yield opened


def test_it_speaks_at_the_length_of_speech(synthesizer: Synthesizer) -> None:
    audio = synthesizer.synthesize(SENTENCE, seed=0)
    seconds = len(audio.samples) / audio.sample_rate
    assert audio.sample_rate == 24_000 and 1.2 < seconds < 3.5
    assert audio.stats.stopped_by == "end"
    assert np.isfinite(audio.samples).all() and float(np.sqrt(np.mean(audio.samples**2))) > 0.02


def test_equal_seeds_give_equal_samples_and_others_do_not(synthesizer: Synthesizer) -> None:
    first, again, other = (synthesizer.synthesize(SENTENCE, seed=seed).samples for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_cache_holds_two_l_h_e_values_a_position(synthesizer: Synthesizer, embedded_voice: Path) -> None:
    audio = synthesizer.synthesize(SENTENCE, seed=0)
    front_end = TextFrontEnd.load(embedded_voice / "text")
    ids = len(front_end.ids(front_end.sentences(SENTENCE)[0]))
    told = 1  # the voice's own id before the text
    positions = told + ids + 2 + audio.stats.patches - 1  # the last patch is spoken, not read
    layers, heads, width, half = 6, 3, 32, 2
    assert audio.stats.kv_cache_bytes_used == 2 * layers * heads * width * positions * half


def test_streamed_samples_equal_offline_samples(synthesizer: Synthesizer) -> None:
    offline = synthesizer.synthesize(SENTENCE, seed=1).samples
    streamed = np.concatenate([chunk.samples for chunk in synthesizer.stream(SENTENCE, seed=1)])
    np.testing.assert_array_equal(streamed, offline)


def test_word_times_are_those_of_the_teacher(embedded_voice: Path) -> None:
    """By the teacher's own durations of sentences that the recogniser was not trained on: 98 % within one token, 40 ms."""
    bundle = Bundle.open(embedded_voice)
    assert bundle.manifest.listener is not None
    verifier = AlignmentVerifier(embedded_voice / bundle.manifest.listener)
    misses: list[int] = []
    for spoken in read_spoken(VOICE / TOKENS)["test"][:80]:
        ids, codes, taught = spoken.ids.numpy(), spoken.codes.numpy(), spoken.aligned.numpy()
        tracker = verifier.begin_path(ids.tolist())
        for part in np.array_split(codes, range(8, len(codes), 32)):
            tracker.push(part)
            tracker.path(ended=False)
        path = tracker.path(ended=True)
        pauses = {SYMBOLS.index(sign) + 1 for sign in PUNCTUATION + " "}
        letters = np.array([0, *(each not in pauses for each in ids.tolist()), 0])
        bounds = np.flatnonzero(np.diff(letters))  # first and past last id of each word
        misses += np.abs(np.searchsorted(path, bounds) - np.searchsorted(taught, bounds)).tolist()
    assert len(misses) > 800 and np.mean(np.array(misses) <= 1) > 0.98


def test_words_have_times_in_streams_before_they_are_heard(synthesizer: Synthesizer) -> None:
    text = "Dr. Lee paid $3.50 for the [API](/ˈeɪpiːaɪ/), and then the robot moved on. It works!"
    stream, seconds, given = synthesizer.stream(text, seed=2, words=True), 0.0, []
    for chunk in stream:
        assert chunk.words is not None and all(seconds <= word.start + 0.2 for word in chunk.words)
        seconds += chunk.seconds
        assert all(word.start < seconds for word in chunk.words)
        given += chunk.words
    expected = ["Dr.", "Lee", "paid", "$3.50", "for", "the", "API", "and", "then", "the", "robot", "moved", "on", "It", "works"]
    assert [word.text for word in given] == expected
    final = stream.words
    assert final is not None and [word.text for word in final] == expected
    assert all(first.end <= second.start + 1e-6 for first, second in itertools.pairwise(final)) and final[-1].end < seconds
    assert [text[slice(*word.span)] for word in final if word.text != "API"] == [each for each in expected if each != "API"]
    assert stream.stats.last_word == "works" and stream.stats.last_character == len(text) - 1
    assert synthesizer.synthesize(text, seed=2, words=True, verify=False).words == tuple(final)


def test_words_begin_where_they_sound(synthesizer: Synthesizer) -> None:
    """Vowels are loud: shifted against the energy, their times agree best where they are. Else mend `PHONEME_LAGS`."""
    agreement = dict.fromkeys(range(-8, 9), 0.0)
    for seed, text in enumerate(("The box is ready and it is heavy.", "The battery is at fifty percent.", SENTENCE)):
        audio = synthesizer.synthesize(text, seed=seed, words=True)
        assert audio.words
        frames = audio.samples[:len(audio.samples) // 240 * 240].reshape(-1, 240)
        levels = np.maximum(10 * np.log10(np.square(frames).mean(1) + 1e-12), -60)
        vowels = np.zeros(len(levels))
        for phoneme in (phoneme for word in audio.words for phoneme in word.phonemes if phoneme.symbol in VOWELS):
            vowels[round(100 * phoneme.start):round(100 * phoneme.end)] = 1
        places = np.arange(round(100 * audio.words[0].start) + 10, round(100 * audio.words[-1].end) - 10)
        for lag in agreement:
            agreement[lag] += float(np.corrcoef(levels[places], vowels[places - lag])[0, 1])
    assert abs(max(agreement, key=lambda lag: agreement[lag])) <= 3, "more than 30 ms"


def test_it_hears_what_it_left_out_or_said_twice(embedded_voice: Path) -> None:
    """By tokens that were really said: no slip; with a word more in the text, or 0.64 s of them said again, one."""
    bundle = Bundle.open(embedded_voice)
    assert bundle.manifest.listener is not None
    listener = AlignmentVerifier(embedded_voice / bundle.manifest.listener)
    front_end = TextFrontEnd.load(embedded_voice / "text")
    ids, more = (front_end.ids(front_end.sentences(f"The old fisherman carried two {heavy} suitcases along the beach.")[0])
                 for heavy in ("heavy", "heavy wooden"))
    backend = create_backend(bundle, "cpu", 1)
    options = SamplingOptions.chosen(bundle.manifest.sampling, None, None, None)
    patches, _ = gather(Decoder(bundle.manifest, backend).decode(ids, bundle.voice(), options, uniform_source(0, 0, 0),
                                                                 lambda: False))
    backend.close()
    tokens = np.concatenate(patches)
    assert listener.omission_score(ids, tokens) < MAX_OMISSION_SCORE
    assert listener.omission_score(more, tokens) > MAX_OMISSION_SCORE
    middle = len(tokens) // 2
    assert listener.omission_score(ids, np.insert(tokens, middle, tokens[middle - 16:middle])) > 5 * MAX_OMISSION_SCORE


def test_any_chunking_gives_the_same_samples(embedded_voice: Path) -> None:
    """Ten random ones, bit for bit."""
    assert [row.name for row in chunkings(embedded_voice, 1) if not row.holds] == []
