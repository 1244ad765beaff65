"""One spelling, two pronunciations: pairs of sentences that need one form and the other."""

from __future__ import annotations

import re

from runtime.text.normalize import normalize
from runtime.text.phonemes import SYMBOLS
from runtime.text.pronunciation.homograph_table import HOMOGRAPHS
from runtime.text.pronunciation.homographs import pronunciation
from tests.runtime.text.tables import read_cases

CASES = read_cases("homographs.tsv")
_PIECES = re.compile(r"[a-z']+|[;:,.!?]")


def chosen(word: str, sentence: str) -> str:
    """Name of the form that was chosen for the first `word` of a sentence."""
    pieces = _PIECES.findall(normalize(sentence))
    phonemes = pronunciation(pieces, pieces.index(word))
    return next(form for form, spoken in HOMOGRAPHS[word].items() if spoken == phonemes)


def test_nine_of_ten_sentences_get_the_right_form() -> None:
    wrong = [(sentence, found) for word, sentence, form in CASES if (found := chosen(word, sentence)) != form]
    assert len(CASES) >= 120
    assert len(wrong) <= 0.05 * len(CASES), wrong


def test_both_forms_of_a_word_are_in_the_table() -> None:
    by_word: dict[str, set[str]] = {}
    for word, _, form in CASES:
        by_word.setdefault(word, set()).add(form)
    assert all(len(forms) == 2 for forms in by_word.values())


def test_forms_use_the_alphabet() -> None:
    for forms in HOMOGRAPHS.values():
        assert len(set(forms.values())) == 2 and set("".join(forms.values())) <= set(SYMBOLS)


def test_a_word_with_one_pronunciation_has_no_choice() -> None:
    assert pronunciation(["the", "door", "."], 1) is None
