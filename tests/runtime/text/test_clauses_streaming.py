"""Boundaries that are taken early, and that never depend on how the text was cut."""

from __future__ import annotations

import itertools
import random

import pytest

from runtime.text.clauses import QUIET, Clause, clauses
from runtime.text.normalize import normalize
from tests.runtime.text.tables import read_cases


@pytest.mark.parametrize(("text", "expected"), [(text, expected) for _, text, expected in read_cases("clauses.tsv")])
def test_cases(text: str, expected: str) -> None:
    assert [clause.text for clause in clauses(["", *text])] == [part.replace("\\n", "\n") for part in expected.split(" ‖ ")]


@pytest.mark.parametrize("text", [
    "The answer is 42.", "Shall I?", "He opened the door.", "We meet at 5 p.m.", "The answer is no."])
def test_a_pause_of_the_writer_ends_a_finished_sentence(text: str) -> None:
    tokens = [token for word in text.split(" ") for token in (" ", word)][1:]
    stream = clauses([*tokens, QUIET, " Next", " one", "."])
    assert next(stream) == Clause(text, 0)
    assert next(stream) == Clause("Next one.", len(text) + 1)


def test_a_pause_inside_a_sentence_ends_nothing() -> None:
    assert list(clauses(["I am", QUIET, " here", QUIET, ". "])) == [Clause("I am here.", 0)]


def test_places_of_bare_words_count_the_spaces_between_them() -> None:
    found = list(clauses(["Stop.", QUIET, "Go.", "Yes.", QUIET, "Well."]))
    assert found == [Clause("Stop.", 0), Clause("Go.", 6), Clause("Yes.", 10), Clause("Well.", 15)]


PARTS = (
    "Dr. Lee", "on Jan.", "5 ft.", "10 in.", "et al.", "is no.", "7", "42.", "Then we left.", "- item", "\n", "\n\n",
    "1. First",
    "2. Second", "| a | b |", "# Title", "he said,", "and so on;", "version 2.1", "$3.50", "e.g.", "U.S.", "at 5 p.m.",
    "Well!", "Really?", "“Yes.”", "(see p. 4)", "Mr.", "the end", "**bold**", "St. Louis", "Inc.", "The",
)


def test_any_cut_of_any_text_gives_the_same_clauses() -> None:
    """Two hundred texts, five random cuts each."""
    for seed in range(200):
        rng = random.Random(seed)
        text = "a b " + " ".join(rng.choice(PARTS) for _ in range(rng.randrange(3, 25)))
        whole = list(clauses(["a ", text[2:]]))
        for _ in range(5):
            cuts = sorted({0, 2, len(text), *(rng.randrange(2, len(text)) for _ in range(rng.randrange(12)))})
            pieces = [text[start:end] for start, end in itertools.pairwise(cuts)]
            assert list(clauses(pieces)) == whole, (text, pieces)
        assert "".join("".join(clause.text for clause in whole).split()) == "".join(text.split())
        assert all(text[clause.start:].startswith(clause.text) for clause in whole)


def test_the_words_of_the_clauses_are_those_of_the_text() -> None:
    text = ("My birthday is Jan. 5, 1980. It costs Rs. 500 in the shop. The room has 500 sq. ft. of space. Smith et al. found "
            "that it works. Dr. Lee met Mrs. Jones at 9 a.m. sharp.")
    assert " ".join(normalize(clause.text) for clause in clauses(text)) == normalize(text)
