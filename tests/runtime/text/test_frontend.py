"""The front end as the synthesizer uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import TextError
from runtime.text.frontend import TextFrontEnd
from runtime.text.phonemes import SYMBOLS, to_ids
from runtime.text.sentences import LONGEST

FOLDER = Path(__file__).parents[3] / "voices" / "embedded" / "text"


@pytest.fixture(scope="module")
def front_end() -> TextFrontEnd:
    return TextFrontEnd.load(FOLDER)


def test_sentences_are_normalised_and_split(front_end: TextFrontEnd) -> None:
    assert front_end.sentences("Dr. Lee paid $5 for it. Is the GPU at 20°C now?") == [
        "doctor lee paid five dollars for it.", "is the g p u at twenty degrees celsius now?"]


@pytest.mark.parametrize("text", ["", "  \n", "...", "?!", "'''", "日本語", "😀", "* * *", "()", "----", "\x00"])
def test_nothing_to_say_is_an_error(front_end: TextFrontEnd, text: str) -> None:
    with pytest.raises(TextError, match="nothing to say"):
        front_end.sentences(text)


@pytest.mark.parametrize(("sentence", "phonemes"), [
    ("hello.", "hɛlˈO."),
    ("hello", "hɛlˈO."),
    ("hello,", "hɛlˈO."),
    ("hello —", "hɛlˈO."),
    ("hello!", "hɛlˈO!"),
    ("hello?", "hɛlˈO?"),
    ("hello…", "hɛlˈO."),
])
def test_every_sentence_ends(front_end: TextFrontEnd, sentence: str, phonemes: str) -> None:
    assert front_end.phonemes(sentence) == phonemes
    assert front_end.ids(sentence) == to_ids(phonemes)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_gives_ids_or_a_text_error(front_end: TextFrontEnd, text: str) -> None:
    try:
        sentences = front_end.sentences(text)
    except TextError:
        return
    for sentence in sentences:
        ids = front_end.ids(sentence)
        assert len(ids) >= 2
        assert all(1 <= symbol <= len(SYMBOLS) for symbol in ids)
        assert len(sentence) <= LONGEST


def test_the_longest_word_is_pronounced(front_end: TextFrontEnd) -> None:
    (sentence,) = front_end.sentences("xk" * (LONGEST // 2))
    assert len(front_end.ids(sentence)) > LONGEST
