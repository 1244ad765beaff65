"""The user's own words: mappings, files, pronunciations in the text, and the table of how a text is read."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from runtime.errors import OptionError, TextError
from runtime.text.explanation import explain
from runtime.text.frontend import TextFrontEnd
from runtime.text.loading import WORDS, load_front_end
from runtime.text.phonemes import SYMBOLS
from runtime.text.pronunciation.alphabets import SYMBOLS as PRONOUNCED
from runtime.text.pronunciation.alphabets import symbols_of_arpabet, symbols_of_ipa
from runtime.text.pronunciation.user_lexicon import UserLexicon
from tests.conftest import sentence_of

FOLDER = Path(__file__).parents[3] / "voices" / "embedded" / "text"
OWN = {"gif": "/dʒɪf/", "Kaito": "K AY1 T OW0", "sudo": "sue doe", "New York": "/nuː jɔːk/"}


@pytest.fixture(scope="module")
def front_end() -> TextFrontEnd:
    return TextFrontEnd.load(FOLDER, OWN)


@pytest.mark.parametrize(("text", "phonemes"), [
    ("a GIF.", "ə ʤˈɪf."), ("a gif's size", "ə ʤˈɪfs sˈIz."), ("GIF’s", "ʤˈɪfs."),
    ("Kaito runs.", "kˈItO ɹˈʌnz."), ("kaito", "kˈItO."),
    ("sudo is a command.", "sˈu dˈO ˈɪz ə kəmˈænd."), ("in New York.", "ˈɪn nˈu jɔk."),
    ("the [API](/aɪpiːeɪ/) is new", "ði ˈIpiA ˈɪz njˈu."),
])
def test_own_pronunciations(front_end: TextFrontEnd, text: str, phonemes: str) -> None:
    if text == "kaito":
        assert front_end.utterances(text)[0].phonemes != phonemes, "capitals count where the entry has them"
    else:
        assert front_end.utterances(text)[0].phonemes == phonemes


def test_a_file_is_read_as_a_mapping_is(tmp_path: Path) -> None:
    path = tmp_path / "own.tsv"
    path.write_text("# own words\ngif\t/dʒɪf/\n", encoding="utf-8")
    assert TextFrontEnd.load(FOLDER, path).utterances("GIF")[0].phonemes == "ʤˈɪf."


def test_words_with_signs_and_long_ones_before_short_ones() -> None:
    """As a regular expression of all entries would find them, but in linear time."""
    lexicon = UserLexicon({"C++": "see plus", "C": "sea", "new": "noo", "New York": "york", "York": "pork", ".net": "net"}, str)
    text = "C++ C C++a new york, New York; .NET a.net x_C York's"
    assert [(text[start:end], phonemes) for start, end, phonemes in lexicon.find(text)] == [
        ("C++", "see plus"), ("C", "sea"), ("C", "sea"), ("new", "noo"), ("New York", "york"), (".NET", "net"),
        ("York's", "porks")]
    many = UserLexicon({f"word{number}": "w" for number in range(20_000)}, str)
    assert len(many.find("word7 word19999 word20000 " * 2000)) == 4000


def test_a_bundle_may_have_its_own_words(tmp_path: Path) -> None:
    """Those of the user go before it."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "text"))
    (folder / WORDS).write_text("gif\t/dʒɪf/\nkaito\t/kaɪtoʊ/\n", encoding="utf-8")
    loaded = load_front_end("english-phonemes", folder)
    assert [utterance.phonemes for utterance in loaded.utterances("GIF Kaito")] == ["ʤˈɪf kˈItO."]
    assert load_front_end("english-phonemes", folder, {"gif": "/ɡɪf/"}).utterances("GIF")[0].phonemes == "ɡˈɪf."
    with pytest.raises(OptionError, match="takes no lexicon"):
        load_front_end("qwen2", folder, {"gif": "/ɡɪf/"})


@pytest.mark.parametrize(("lexicon", "part"), [
    ({"gif": "/dyf/"}, "nearest is 'u'"), ({"gif": ""}, "maps words"), ({"gif": "{QX IH1}"}, "nearest is"),
    ("no/such/file", "cannot be read"),
])
def test_what_is_refused(lexicon: dict[str, str] | str, part: str) -> None:
    with pytest.raises(TextError) as error:
        TextFrontEnd.load(FOLDER, lexicon)
    assert part in sentence_of(error)


def test_a_line_without_a_tab_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.tsv"
    path.write_text("gif jif\n", encoding="utf-8")
    with pytest.raises(TextError, match="Line 1"):
        TextFrontEnd.load(FOLDER, path)


def test_alphabets() -> None:
    assert set(PRONOUNCED) <= set(SYMBOLS)
    assert symbols_of_ipa("həˈloʊ") == "həlˈO" and symbols_of_ipa("kæt") == "kˈæt"
    assert symbols_of_arpabet("HH AH0 L OW1") == "həlˈO"


def test_words_know_their_place_in_the_text(front_end: TextFrontEnd) -> None:
    text = "Dr. Lee paid **$3.50** at 7:05 p.m. Grüße, that's it!"
    utterances = front_end.utterances(text)
    words = [word for utterance in utterances for word in utterance.words]
    assert all(text[word.start:word.end] == word.text for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    by_text = {word.text: word for word in words}
    assert by_text["$3.50"].words == "three dollars and fifty cents" and by_text["$3.50"].kind == "money"
    assert by_text["Dr."].words == "doctor" and by_text["Grüße"].words == "grusse"
    assert by_text["Lee"].phonemes == "lˈi"
    assert "".join(utterance.text for utterance in utterances).replace(" ", "") == text.replace(" ", "")


def test_explanation_is_a_table(front_end: TextFrontEnd) -> None:
    table = str(explain(front_end, "It costs $5."))
    assert "money" in table and "five dollars" in table and "fˈIv dˈɑləɹz" in table


def test_letters_without_an_english_reading_are_logged(front_end: TextFrontEnd, caplog: pytest.LogCaptureFixture) -> None:
    front_end.utterances("Hello 你好 there")
    assert "你好" in caplog.text
