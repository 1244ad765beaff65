"""Pronunciation: the dictionary first, its supplement, then the letter model; and the ids of the symbols."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.text.normalization.tables.acronyms import LETTERS
from runtime.text.normalize import normalize
from runtime.text.phonemes import PUNCTUATION, SYMBOLS, Phonemizer, to_ids
from runtime.text.pronunciation.extra_pronunciations import PRONUNCIATIONS
from runtime.text.pronunciation.lexicon import VOWELS, starts_with_vowel

FOLDER = Path(__file__).parents[3] / "voices" / "embedded" / "text"


@pytest.fixture(scope="module")
def phonemizer() -> Phonemizer:
    return Phonemizer.load(FOLDER)


@pytest.fixture(scope="module")
def lexicon() -> dict[str, str]:
    with gzip.open(FOLDER / "lexicon.txt.gz", "rt", encoding="utf-8") as lines:
        return dict(line.rstrip("\n").split("\t") for line in lines)


def test_dictionary_words_are_read_as_the_dictionary_says(phonemizer: Phonemizer, lexicon: dict[str, str]) -> None:
    assert len(lexicon) > 100_000
    assert [word for word, spoken in lexicon.items() if phonemizer.word(word) != spoken] == []


@pytest.mark.parametrize(("text", "spoken"), [
    ("the quick, brown fox.", "ðə kwˈɪk, bɹˈWn fˈɑks."),
    ("The Quick Fox", "ðə kwˈɪk fˈɑks"),
    ("the apple", "ði ˈæpəl"),
    ("the unit", "ðə jˈunɪt"),
    ("the, apple", "ðə, ˈæpəl"),
    ("don't", "dˈOnt"),
    ("sooooo", "sˈO"),
    ("cooool", "kˈul"),
    ("'''", ""),
    ("'hello'", "hɛlˈO"),
    ("123 #", ""),
    ("", ""),
    ("...", "..."),
])
def test_text(phonemizer: Phonemizer, text: str, spoken: str) -> None:
    assert phonemizer.phonemes(text) == spoken


@pytest.mark.parametrize(("word", "spoken"), [
    ("b's", "bˈiz"), ("f's", "ˈɛfs"), ("s's", "ˈɛsɪz"), ("json's", "ʤˈAsənz"),
])
def test_possessive_of_a_word_beyond_the_dictionary(phonemizer: Phonemizer, word: str, spoken: str) -> None:
    assert not phonemizer.knows("json's")
    assert phonemizer.word(word) == spoken


NAMES = ("ˈA bˈi sˈi dˈi ˈi ˈɛf ʤˈi ˈAʧ ˈI ʤˈA kˈA ˈɛl ˈɛm ˈɛn ˈO pˈi kjˈu ˈɑɹ ˈɛs tˈi jˈu vˈi dˈʌbəljˌu ˈɛks wˈI zˈi")


@pytest.mark.parametrize(("letter", "name"), list(zip(sorted(LETTERS), NAMES.split(), strict=True)))
def test_letter_names(phonemizer: Phonemizer, letter: str, name: str) -> None:
    assert phonemizer.phonemes(LETTERS[letter]) == name


def test_words_without_a_vowel_are_spelled(phonemizer: Phonemizer) -> None:
    assert phonemizer.word("xmlk") == "ˈɛks ˈɛm ˈɛl kˈA"


def test_supplement_only_fills_gaps_with_valid_symbols(phonemizer: Phonemizer, lexicon: dict[str, str]) -> None:
    assert lexicon.keys().isdisjoint(PRONUNCIATIONS)
    for word, spoken in PRONUNCIATIONS.items():
        assert set(spoken) <= set(SYMBOLS), word
        assert not VOWELS.isdisjoint(spoken), word
        assert phonemizer.word(word) == spoken


def test_every_unit_is_in_the_dictionary(phonemizer: Phonemizer) -> None:
    symbols = ["m", "kHz", "GHz", "mAh", "Nm", "kΩ", "µF", "MPa", "TB", "mW", "rad/s", "m/s", "kWh", "°C", "fps", "rpm",
               "GFLOPS", "lm", "Mbps", "kPa"]
    spoken = normalize(" ".join(f"1 {symbol}, 2 {symbol}," for symbol in symbols))
    words = [word for word in spoken.replace(",", " ").split() if word.isalpha()]
    assert len(words) > 80
    assert [word for word in words if not phonemizer.knows(word)] == []


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=30))
def test_every_word_has_a_syllable(phonemizer: Phonemizer, text: str) -> None:
    spoken = phonemizer.phonemes(text)
    assert set(spoken) <= set(SYMBOLS)
    if text.strip("'"):
        assert not VOWELS.isdisjoint(spoken)
    else:
        assert spoken == ""


def test_a_chain_of_possessives_ends(phonemizer: Phonemizer) -> None:
    assert phonemizer.phonemes("a" + "'s" * 300)


def test_ids_count_from_one_and_keep_their_order() -> None:
    assert SYMBOLS.startswith(PUNCTUATION + " ˈˌAIOQSTWYb")
    assert len(set(SYMBOLS)) == len(SYMBOLS) == 58
    assert to_ids(SYMBOLS) == list(range(1, len(SYMBOLS) + 1))
    assert to_ids("b#b") == to_ids("bb")


@pytest.mark.parametrize(("phonemes", "expected"), [("ˈæpəl", True), ("ˌʌndəɹ", True), ("jˈunɪt", False), ("", False)])
def test_starts_with_vowel(phonemes: str, expected: bool) -> None:
    assert starts_with_vowel(phonemes) is expected
