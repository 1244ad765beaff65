"""misaki's pronunciations as a word list in the runtime's alphabet."""

import pytest

from runtime.text.phonemes import SYMBOLS
from training.data.misaki_lexicon import compile_pronunciations, known_words

pytest.importorskip("hibari", reason="comes with the train extra")


def test_running_text_decides_and_unknown_words_are_left_out() -> None:
    found = compile_pronunciations(["I read the book to a child."] * 3, ["stop", "boxes", "paris", "zzqxv", "to", "a"])
    assert found["stop"] == "stˈɑp" and found["boxes"].endswith("ᵻz") and found["paris"].startswith("pˈ")
    assert (found["a"], found["to"], found["the"]) == ("ə", "tə", "ðə")
    assert "zzqxv" not in found
    assert all(symbol in SYMBOLS for reading in found.values() for symbol in reading)


def test_rare_words_of_the_text_keep_what_they_are_alone() -> None:
    assert "child" not in compile_pronunciations(["A child."], [])


def test_its_own_words_are_many_and_lower_case() -> None:
    words = known_words()
    assert len(words) > 100_000 and all(word == word.lower() for word in words)
