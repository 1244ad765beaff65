"""Text that is still being written, cut where a listener would breathe."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.errors import TextError
from runtime.text.clauses import LONG, LONGEST, clauses

SPEECH = ("Well, I can do that for you, of course. Dr. Lee paid $3.50 on May 5, 2024, at 7 p.m. in the U.S. office! "
          "Is version 2.1 (the new one) installed? Yes.")
EXPECTED = ["Well, I can do that for you,", "of course.",
            "Dr. Lee paid $3.50 on May 5, 2024, at 7 p.m. in the U.S. office!",
            "Is version 2.1 (the new one) installed?", "Yes."]


@pytest.mark.parametrize("pieces", [
    SPEECH.split(), [word + " " for word in SPEECH.split()], re.findall(r"\s?\S{1,3}", SPEECH), list(SPEECH), [SPEECH],
], ids=["words", "spaced words", "tokens", "characters", "one piece"])
def test_clauses_do_not_depend_on_how_the_text_was_cut(pieces: list[str]) -> None:
    assert [clause.text for clause in clauses(pieces)] == EXPECTED


@pytest.mark.parametrize(("pieces", "expected"), [
    ([], []), ([""], []), ([" ", "\n"], []), (["Stop."], ["Stop."]), (["Stop", "now"], ["Stop now"]),
    (["Stop.", "Now."], ["Stop.", "Now."]), (["Hel", "lo", "!", " How", " are"], ["Hello!", "How are"]),
    (["So, yes."], ["So, yes."]), (["First line\n\nSecond line"], ["First line", "Second line"]),
    (['He said "go." Then he left.'], ['He said "go."', "Then he left."]),
    (["one two three, 4 five"], ["one two three, 4 five"]), (["1. First, 2. Second. Third"], ["1. First, 2. Second.", "Third"]),
])
def test_cases(pieces: list[str], expected: list[str]) -> None:
    assert [clause.text for clause in clauses(pieces)] == expected


def test_a_clause_is_there_before_the_text_goes_on() -> None:
    taken: list[str] = []

    def writer() -> Iterator[str]:
        for word in ["I", "am", "going", "to", "the", "door,", "and", "then", "I", "will", "wait.", "Will", "you", "come?"]:
            taken.append(word)
            yield word + " "

    found = clauses(writer())
    assert next(found).text == "I am going to the door," and taken[-1] == "and"
    assert next(found).text == "and then I will wait." and taken[-1] == "wait."


def test_a_long_sentence_is_cut_at_a_comma_and_a_text_without_marks_somewhere() -> None:
    sentence = "First. " + "the robot goes on and on, " * 20
    pieces = [clause.text for clause in clauses(iter(sentence))]
    assert len(pieces) > 2 and all(len(piece) < LONG + 40 for piece in pieces)
    endless = [clause.text for clause in clauses(iter("word " * 1000))]
    assert max(map(len, endless)) <= LONGEST + 10 and " ".join(endless).split() == ["word"] * 1000
    assert all(len(clause.text) <= LONGEST + 1 for clause in clauses("x" for _ in range(5000)))


@pytest.mark.parametrize("bad", [["one", 2], [b"bytes"], [None], ["<speak>Hello there</speak>"], ["<spe", "ak>Hello ", "you"]])
def test_what_is_refused(bad: list[str]) -> None:
    with pytest.raises(TextError):
        list(clauses(bad))


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="abC.,;:!?-— \n'\"3", max_size=300), st.lists(st.integers(0, 300), max_size=30))
def test_nothing_is_lost_and_any_cutting_gives_the_same(text: str, cuts: list[int]) -> None:
    places = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in itertools.pairwise(places)]
    found = list(clauses(["a b ", *pieces]))  # the first piece shows that spaces come along
    assert "".join("".join(clause.text for clause in found).split()) == "ab" + "".join(text.split())
    assert found == list(clauses(["a b ", *text]))
    assert all(clause.text.strip() == clause.text != "" for clause in found)
    assert all(("a b " + text)[clause.start:].startswith(clause.text) for clause in found)


@pytest.mark.parametrize(("text", "wanted"), [
    ("你好，欢迎来到展览。“请跟我来。”他说。然后回家！",
     ["你好，欢迎来到展览。", "“请跟我来。”", "他说。", "然后回家！"]),
    ("こんにちは、ロボットです。駅まで案内します。",
     ["こんにちは、", "ロボットです。", "駅まで案内します。"]),
    ("Hello world. 你好，世界。We go on now.", ["Hello world.", "你好，世界。", "We go on now."])])
def test_chinese_and_japanese_have_no_spaces(text: str, wanted: list[str]) -> None:
    """No space comes between pieces, marks end clauses without one, and cuts of any kind give the same."""
    assert [clause.text for clause in clauses([text])] == wanted
    for size in range(1, 8):
        pieces = [text[start:start + size] for start in range(0, len(text), size)]
        assert [clause.text for clause in clauses(pieces)] == wanted
