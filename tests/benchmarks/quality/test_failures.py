"""Each detector on a made-up case that it must find, and on good readings that it must leave alone."""

import numpy as np
import pytest

from benchmarks.quality.failures import failures, longest_silence, loops, truncated

RATE = 16_000
TEXT = "The old fisherman carried two heavy suitcases along the beach."


def speech(seconds: float, pause: float = 0.0) -> np.ndarray:
    """Noise in syllables, with a pause in the middle."""
    time = np.arange(round(seconds * RATE)) / RATE
    made = np.random.default_rng(0).standard_normal(len(time)) * (0.1 + 0.1 * np.sin(2 * np.pi * 4 * time) ** 2)
    half = len(made) // 2
    return np.concatenate((made[:half], np.zeros(round(pause * RATE)), made[half:])).astype(np.float32)


def test_a_good_reading_has_none() -> None:
    assert failures(TEXT, "the old fisherman carried 2 heavy suitcases along the beach", speech(4.0), RATE, 4.0, "end") == []
    assert failures("Stop.", "Stop.", speech(0.4), RATE, 0.5, "end") == []
    assert failures("No, no, no!", "no no no", speech(1.0), RATE, 1.1, "end") == []


def test_loop() -> None:
    assert loops(TEXT, "the old fisherman carried carried carried two heavy suitcases along the beach")
    assert loops(TEXT, "the old fisherman along the beach along the beach along the beach")
    assert not loops("It was very, very, very cold.", "it was very very very cold")
    assert "loop" in failures(TEXT, TEXT, speech(8.0), RATE, 4.0, "end"), "twice as long as expected"
    assert "loop" in failures(TEXT, TEXT, speech(4.0), RATE, 4.0, "repetition"), "the watchdog's word"


def test_a_number_in_digits_is_one_word() -> None:
    text = "The answer is thirty point six hundred and sixty-six."
    assert not loops(text, "The answer is 30.666.") and not loops("Call nine one one one.", "call 9111")
    assert loops(text, "The answer is 30.666 30.666 30.666.") and loops(text, "the answer is thirty six six six six")


def test_digits_that_loop_are_heard_by_another_recogniser_too() -> None:
    text = "It moved in three and one-half inches, and spiked down."
    stammered, clear = "It moved in 3 1 1 1 1 1 inches and spiked down.", "it moved in three i'm a half inches on spike down"
    assert loops(text, stammered) and not loops(text, stammered, lambda: clear)
    assert loops(text, stammered, lambda: "it moved in three and one and one and one half inches")
    assert loops("Call nine one one.", "call 9 1 1 1 1", lambda: "call nine one one one one")
    words = "It moved moved moved in 3 1 1 1 1 1 inches and spiked down."
    assert loops(text, words, lambda: clear), "of words the sharper recogniser is believed"
    assert loops(text, "It moved in 3 inches 3 inches 3 inches.", lambda: clear)
    assert failures(text, stammered, speech(4.0), RATE, 4.0, "end", lambda: clear) == []


def test_truncation() -> None:
    assert truncated(TEXT, "the old fisherman", 0.3)
    assert truncated(TEXT, "the old fisherman carried two heavy", 0.7), "rather short, and its last words are missing"
    assert not truncated(TEXT, "the old fisherman carried two heavy suit cases along the beach", 0.7), "a quick reader"
    assert not truncated(TEXT, "the old fisherman carried two heavy loads", 1.0), "its end was only misheard"
    assert failures(TEXT, TEXT, speech(4.0), RATE, 4.0, "length") == ["truncation"]
    assert failures(TEXT, TEXT, speech(4.0), RATE, 4.0, "early") == ["truncation"], "no attempt was long enough"


@pytest.mark.parametrize("samples", [speech(4.0, pause=1.5), np.zeros(RATE, np.float32), np.zeros(0, np.float32),
                                     np.concatenate((speech(4.0), np.zeros(2 * RATE, np.float32)))])
def test_silence(samples: np.ndarray) -> None:
    assert "silence" in failures(TEXT, TEXT, samples, RATE, 4.0, "end")


def test_the_longest_silence_is_measured() -> None:
    assert longest_silence(speech(2.0, pause=0.5), RATE) == pytest.approx(0.5, abs=0.03)
    assert longest_silence(speech(2.0), RATE) < 0.1
