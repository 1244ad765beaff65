"""Word errors against counts made by hand."""

import pytest

from benchmarks.judges.word_errors import edits, word_errors, words


@pytest.mark.parametrize(("reference", "heard", "expected"), [
    ("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b c", "a x c d", 2), ("", "a b", 2), ("a b", "", 2),
])
def test_edits(reference: str, heard: str, expected: int) -> None:
    assert edits(reference.split(), heard.split()) == expected


def test_both_sides_are_spoken_words() -> None:
    assert words("It's 25 percent.") == words("its twenty-five percent")
    assert words("Okay, Mr. Smith!") == words("OK mister smith")


def test_rate_is_over_the_corpus_and_its_interval_holds_it() -> None:
    errors = word_errors(["one two three four", "five six"], ["one two three four", "five"])
    assert errors.rate == pytest.approx(100 / 6)
    low, high = errors.interval()
    assert low <= errors.rate <= high
