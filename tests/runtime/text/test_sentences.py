"""How text becomes utterances."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.text.sentences import split_sentences

LONG = "the first part of it is here, the second part follows; " * 6


@pytest.mark.parametrize(("text", "limit", "expected"), [
    ("", 200, []),
    ("  ", 200, []),
    ("yes.", 200, ["yes."]),
    ("the first sentence is here. the second one is there! is this the third one?", 200,
     ["the first sentence is here.", "the second one is there!", "is this the third one?"]),
    ("well… it depends on you. yes.", 200, ["well… it depends on you. yes."]),
    ("no. the robot is still charging.", 200, ["no. the robot is still charging."]),
    ("the robot is still charging. no.", 200, ["the robot is still charging. no."]),
    ("yes. no. yes. no. the robot stopped moving.", 200, ["yes. no. yes.", "no. the robot stopped moving."]),
    ("no. unfortunately", 14, ["no.", "unfortunately"]),
    ("one two three; four five six, seven eight", 20, ["one two three;", "four five six,", "seven eight"]),
    ("one two three, four five six seven", 20, ["one two three,", "four five six seven"]),
    ("one two three — four five six seven", 20, ["one two three —", "four five six seven"]),
    ("one two three four five six", 14, ["one two three", "four five six"]),
    ("aaaaaaaaaabbbbbbbbbbccc dd", 10, ["aaaaaaaaaa", "bbbbbbbbbb", "ccc dd"]),
])
def test_split(text: str, limit: int, expected: list[str]) -> None:
    assert split_sentences(text, limit) == expected


def test_a_long_sentence_is_cut_at_its_strongest_marks() -> None:
    pieces = split_sentences(LONG, 120)
    assert len(pieces) == 3
    assert all(piece.endswith(";") for piece in pieces)


def test_short_pieces_of_a_long_sentence_share_an_utterance() -> None:
    assert split_sentences("a b c, " * 20, 60) == [("a b c, " * 7).strip()] * 2 + [("a b c, " * 6).strip()]


def test_a_long_sentence_is_cut_evenly() -> None:
    """Not so that a crumb is left over, of which a model makes anything."""
    words = "now and then a robot has to say a sentence without any marks in it and it goes on and on until we met a!"
    assert list(map(len, split_sentences(words, len(words) - 2))) == [50, 53]


def test_limit_must_be_positive() -> None:
    with pytest.raises(ValueError, match="max_chars"):
        split_sentences("hello there.", 0)


WORDS = st.text(alphabet="abcdefgh'.,;:!?—…\n ", max_size=400)


@settings(max_examples=300, deadline=None)
@given(WORDS, st.integers(min_value=1, max_value=60))
def test_nothing_is_lost_and_nothing_is_too_long(text: str, limit: int) -> None:
    pieces = split_sentences(text, limit)
    assert "".join("".join(pieces).split()) == "".join(text.split())
    assert all(0 < len(piece) <= limit for piece in pieces)
    if all(len(word) <= limit for word in text.split()):
        assert " ".join(pieces).split() == text.split()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(("no.", "oh my.", "yes!", "the robot has stopped.", "where are you?")), max_size=20))
def test_no_tiny_utterance_where_there_is_room(sentences: list[str]) -> None:
    text = " ".join(sentences)
    pieces = split_sentences(text, 200)
    if len(pieces) > 1:
        assert all(len(piece) >= 12 or len(piece.split()) >= 3 for piece in pieces)


def test_a_megabyte_is_split_in_seconds() -> None:
    assert len(split_sentences("b" * 1_000_000, 200)) == 5_000
    assert len(split_sentences("the robot stops here, " * 45_000)) > 4_000
