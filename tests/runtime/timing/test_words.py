"""Mouth shapes, the last word heard, captions."""

from __future__ import annotations

import itertools
import json

import pytest

from runtime.errors import OutputError
from runtime.text.phonemes import PUNCTUATION, SYMBOLS
from runtime.timing.captions import LONGEST_CUE, Timestamps, check_timestamps_suffix
from runtime.timing.visemes import SHAPES, VISEMES
from runtime.timing.words import Phoneme, Sentence, Word, last_word, visemes


def word(text: str, start: float, end: float, symbols: str = "", place: int = 0) -> Word:
    """A word whose phonemes last equally long."""
    step = (end - start) / max(1, len(symbols))
    phonemes = tuple(Phoneme(symbol, start + index * step, start + (index + 1) * step) for index, symbol in enumerate(symbols))
    return Word(text, start, end, (place, place + len(text)), text.lower(), phonemes)


HI = word("Hi", 0.1, 0.5, "hI")
BOB = word("Bob", 0.75, 1.05, "bɑb", 4)


def test_every_phoneme_has_a_viseme() -> None:
    assert set(SHAPES) == set(SYMBOLS) - set(PUNCTUATION) - set(" ˈˌ")
    assert {name for names in SHAPES.values() for name in names} == set(VISEMES) - {"sil"} and len(VISEMES) == 15


def test_visemes_leave_no_gap() -> None:
    shapes = visemes([HI, BOB], 1.5)
    assert [shape.name for shape in shapes] == ["sil", "kk", "aa", "ih", "sil", "PP", "aa", "PP", "sil"]
    assert [round(shape.end, 3) for shape in shapes] == [0.1, 0.3, 0.4, 0.5, 0.75, 0.85, 0.95, 1.05, 1.5]
    assert all(first.end == second.start for first, second in itertools.pairwise(shapes))
    assert visemes([]) == [] and [shape.name for shape in visemes([], 1.0)] == ["sil"]


@pytest.mark.parametrize(("seconds", "expected"), [(0.0, None), (0.1, None), (0.11, HI), (0.75, HI), (0.76, BOB), (9, BOB)])
def test_last_word_heard(seconds: float, expected: Word | None) -> None:
    assert last_word([HI, BOB], seconds) is expected
    assert last_word([], seconds) is None


def test_json_has_words_phonemes_and_visemes() -> None:
    timestamps = Timestamps(1.5, [Sentence("Hi, Bob!", 0.0, 1.5)], [HI, BOB])
    found = json.loads(timestamps.format(".json"))
    assert found["level"] == "word" and found["duration"] == 1.5
    assert found["words"][0] == {
        "word": "Hi", "start": 0.1, "end": 0.5, "span": [0, 2], "spoken": "hi",
        "phonemes": [{"symbol": "h", "start": 0.1, "end": 0.3, "visemes": ["kk"]},
                     {"symbol": "I", "start": 0.3, "end": 0.5, "visemes": ["aa", "ih"]}]}
    assert found["visemes"][1] == {"viseme": "kk", "start": 0.1, "end": 0.3}
    assert json.loads(Timestamps(1.5, [], None).format(".json"))["level"] == "sentence"


def test_captions() -> None:
    timestamps = Timestamps(3661.5, [Sentence("Hi & <b>!", 0.0, 1.5), Sentence("Bob.", 3600.75, 3661.5)], None)
    assert timestamps.format(".srt") == ("1\n00:00:00,000 --> 00:00:01,500\nHi & <b>!\n\n"
                                         "2\n01:00:00,750 --> 01:01:01,500\nBob.\n")
    assert timestamps.format(".vtt").startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHi &amp; &lt;b&gt;!\n\n")


def test_long_sentences_become_several_cues_that_keep_every_sign() -> None:
    text = "; ".join(f"number {index}, \u201cand so on\u201d" for index in range(12)) + "."
    tokens = [token.strip(";,.\u201c\u201d") for token in text.split()]
    words = [word(token, 0.3 * index, 0.3 * index + 0.2) for index, token in enumerate(tokens)]
    later = word("Done", 0.3 * len(tokens), 0.3 * len(tokens) + 0.2)
    sentences = [Sentence(text, 0.0, 0.3 * len(tokens)), Sentence("Done.", later.start, later.end)]
    blocks = Timestamps(later.end, sentences, [*words, later]).format(".srt").strip().split("\n\n")
    cues = [block.split("\n")[2] for block in blocks]
    assert " ".join(cues) == text + " Done." and len(cues) > 3 and max(map(len, cues)) <= LONGEST_CUE + 12
    ends = [block.split("\n")[1].split(" --> ") for block in blocks]
    assert all(first[1] == second[0] for first, second in itertools.pairwise(ends))


def test_unknown_formats_are_refused() -> None:
    with pytest.raises(OutputError, match=r"\.json, \.srt, \.vtt"):
        check_timestamps_suffix("times.txt")
