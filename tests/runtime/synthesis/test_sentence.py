"""Sentences to samples: chunks, second tries, and what is left of a loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from runtime.backends.base import Backend
from runtime.bundle.manifest import Limits, Pace
from runtime.bundle.reader import Bundle
from runtime.decoding.sampling import uniform_source
from runtime.options import SamplingOptions
from runtime.stats import StatsAccumulator
from runtime.synthesis.alignment import AlignmentVerifier
from runtime.synthesis.attempts import MAX_OMISSION_SCORE, RETRIES, without_loop
from runtime.synthesis.sentence import Request, SentenceSynthesizer
from runtime.vocoder.vocoding import vocoder_opener
from tests.fixtures import tiny_bundle as tiny

Load = Callable[..., tuple[Bundle, Backend]]
IDS = [1] * 10


class Ear(AlignmentVerifier):
    """Returns the given results, one per attempt."""

    def __init__(self, *slips: float) -> None:
        self.slips, self.heard = list(slips), list[tuple[list[int], int]]()

    def omission_score(self, ids: Sequence[int], tokens: np.ndarray) -> float:
        self.heard.append((list(ids), len(tokens)))
        return self.slips[len(self.heard) - 1]


def say(loaded: tuple[Bundle, Backend], seed: int = 0, retry: bool = True, ear: AlignmentVerifier | None = None,
        **options: Any) -> tuple[np.ndarray, StatsAccumulator, list[int]]:
    bundle, backend = loaded
    assert bundle.manifest.vocoder is not None
    speech = SentenceSynthesizer(bundle.manifest, vocoder_opener(bundle, bundle.manifest.vocoder, backend), backend, ear)
    tally = StatsAccumulator("test", 0)
    request = Request(bundle.voice("alto"), SamplingOptions(**options), seed, retry)
    chunks = list(speech.synthesize(IDS, 0, request, tally))
    return np.concatenate([np.zeros(0, np.float32), *chunks]), tally, [len(chunk) for chunk in chunks]


@pytest.mark.parametrize("seed", range(10))
def test_live_and_settled_speech_have_the_same_samples(load: Load, seed: int) -> None:
    loaded = load()
    whole, tally, _ = say(loaded, seed)
    live, _, _ = say(loaded, seed, retry=False)
    np.testing.assert_array_equal(live, whole)
    assert len(whole) == tally.tokens * tiny.VOCODER.samples_per_token


def test_chunks_grow(load: Load) -> None:
    _, tally, lengths = say(load(scripts=[tiny.ending(99)]), retry=False)
    token = tiny.VOCODER.samples_per_token
    assert lengths == [(8 - 2) * token, 8 * token, 16 * token, 32 * token, 32 * token, (3 + 2) * token]
    assert tally.tokens == 99 and tally.patches == 25 and tally.stopped_by == "end"


def flaky_end(seed: int, attempt: int) -> int | None:
    """Tokens that the flaky script says before its end, None if it is caught looping first (52 tokens)."""
    drawn = uniform_source(seed, 0, attempt)
    for patch in range(13):
        below = np.flatnonzero(drawn.random(4, np.float32) < tiny.FLAKY_END)
        if below.size:
            return int(4 * patch + below[0])
    return None


def seeds_where(*ends: bool) -> int:
    """The first seed whose attempts end (True) or loop (False) in this order."""
    return next(seed for seed in range(10_000)
                if all((flaky_end(seed, attempt) is not None) == end for attempt, end in enumerate(ends)))


def test_a_failed_attempt_is_tried_again_with_other_numbers(load: Load) -> None:
    loaded = load(scripts=[tiny.FLAKY])
    for outcome in [(True,), (False, True), (False, False, True)]:
        seed, last = seeds_where(*outcome), len(outcome) - 1
        samples, tally, _ = say(loaded, seed)
        assert (tally.stopped_by, tally.retries, tally.tokens) == ("end", last, flaky_end(seed, last))
        assert len(samples) == tally.tokens * tiny.VOCODER.samples_per_token


def test_gives_in_after_the_last_attempt_and_cuts_the_loop(load: Load) -> None:
    _, tally, _ = say(load(scripts=[tiny.FLAKY]), seeds_where(*[False] * (1 + RETRIES)))
    assert (tally.stopped_by, tally.retries, tally.tokens) == ("repetition", RETRIES, 2)  # one cycle of two codes


def test_an_attempt_that_lost_words_is_tried_again(load: Load) -> None:
    limits = Limits(max_seconds=16, max_text_ids=64, min_tokens_per_id=0, max_tokens_per_id=20, pace=Pace(0, 1, 0.8, 20))
    ends = ((seed, flaky_end(seed, 0), flaky_end(seed, 1)) for seed in range(1000))
    seed, second = next((seed, second) for seed, first, second in ends
                        if first is not None and first < 0.8 * len(IDS) and second is not None and second >= 0.8 * len(IDS))
    loaded = load(scripts=[tiny.FLAKY], limits=limits)
    _, tally, _ = say(loaded, seed)
    assert (tally.stopped_by, tally.retries, tally.tokens) == ("end", 1, second)
    _, tally, _ = say(loaded, seed, retry=False)
    assert (tally.stopped_by, tally.retries, tally.tokens) == ("early", 0, flaky_end(seed, 0))


@pytest.mark.parametrize(("slips", "kept"), [
    ([MAX_OMISSION_SCORE - 0.1], 0), ([MAX_OMISSION_SCORE, 0.0], 1), ([9.0, MAX_OMISSION_SCORE, 1.0], 2), 
    ([9.0, 8.0, 7.0, 5.0, 6.0], 3), ([9.0] * 5, 0),
])
def test_a_slip_of_the_tongue_is_tried_again(load: Load, slips: list[float], kept: int) -> None:
    """The first good attempt is spoken, or the one with the lowest omission score, with its own random numbers."""
    loaded, ear, stages = load(scripts=[tiny.ending(30)]), Ear(*slips), dict[str, float]()
    loaded[1].record_into(stages)
    samples, tally, _ = say(loaded, 5, ear=ear)
    assert ear.heard == [(IDS, 30)] * len(slips) and stages["listener"] > 0
    assert (tally.stopped_by, tally.retries, tally.tokens) == ("end", len(slips) - 1, 30)
    readings = [say(loaded, 5, ear=Ear(*[9.0] * attempt, 0.0))[0] for attempt in range(5)]
    assert [np.array_equal(samples, reading) for reading in readings] == [attempt == kept for attempt in range(5)]


def test_nobody_listens_where_nothing_could_be_said_again(load: Load) -> None:
    loaded, ear = load(scripts=[tiny.ending(30)]), Ear()
    say(loaded, retry=False, ear=ear)
    say(loaded, ear=ear, temperature=0)
    assert ear.heard == []


def test_a_reading_without_end_is_worse_than_one_that_slips(load: Load) -> None:
    loaded = load(scripts=[tiny.FLAKY])
    seed = seeds_where(True, *[False] * RETRIES)
    _, tally, _ = say(loaded, seed, ear=Ear(50.0))
    assert (tally.stopped_by, tally.retries, tally.tokens) == ("end", RETRIES, flaky_end(seed, 0))


def test_a_stream_cannot_take_back_what_was_heard(load: Load) -> None:
    _, tally, _ = say(load(scripts=[tiny.FLAKY]), seeds_where(False, True), retry=False)
    assert (tally.stopped_by, tally.retries, tally.tokens) == ("repetition", 0, 52)


def test_greedy_is_not_tried_again(load: Load) -> None:
    _, tally, _ = say(load(scripts=[tiny.LOOP]), temperature=0)
    assert (tally.stopped_by, tally.retries) == ("repetition", 0)


def test_a_sentence_without_tokens_is_silent(load: Load) -> None:
    samples, tally, _ = say(load(scripts=[tiny.ending(0)]))
    assert (len(samples), tally.tokens, tally.stopped_by) == (0, 0, "end")


@pytest.mark.parametrize("retry", [True, False])
def test_cancel_leaves_silence(load: Load, retry: bool) -> None:
    bundle, backend = load(scripts=[tiny.ENDLESS])
    assert bundle.manifest.vocoder is not None
    speech = SentenceSynthesizer(bundle.manifest, vocoder_opener(bundle, bundle.manifest.vocoder, backend), backend)
    tally = StatsAccumulator("test", 0)
    request = Request(bundle.voice("alto"), SamplingOptions(), 0, retry)
    chunks = speech.synthesize(IDS, 0, request, tally)
    next(chunks)
    request.cancel_token.cancel()
    assert list(chunks) == []
    assert tally.stopped_by == "cancel"


@pytest.mark.parametrize("before", [0, 1, 6])
def test_without_loop(before: int) -> None:
    tokens = [*range(100, 100 + before), *[1, 2, 3] * 30]
    kept = without_loop([np.array(tokens[start:start + 4]) for start in range(0, len(tokens), 4)], 25.0)
    assert np.concatenate(kept).tolist() == tokens[:before + 3]
    assert all(len(patch) <= 4 for patch in kept)
