"""The list of hard cases, and what counts as spoken well."""

import pytest

from benchmarks.hard_cases import Case, hard_cases, judge, likeness, markdown
from benchmarks.judges.word_errors import words
from benchmarks.quality.speaking import SpokenResult
from benchmarks.robustness import LONGEST, random_sentences


def heard(text: str, *failures: str) -> SpokenResult:
    return SpokenResult("", 0, text, 1.0, 1.0, "end", 0, list(failures))


def test_a_hundred_cases_whose_texts_are_read_as_they_should_be() -> None:
    """The normaliser gives one of the readings for every text: what is left to go wrong is the voice."""
    cases = hard_cases()
    assert len(cases) == 100 and max(len(case.text.split()) for case in cases) >= 300
    wrong = [(case.text, words(case.text)) for case in cases if words(case.text) not in [words(r) for r in case.readings]]
    assert wrong == []


@pytest.mark.parametrize(("said", "verdict"), [("Stop.", "pass"), ("Stopped", "doubtful"), ("Why?", "fail")])
def test_verdicts(said: str, verdict: str) -> None:
    assert judge(Case("one word", "Stop.", ("stop",)), heard(said)).verdict == verdict


def test_digits_that_a_recogniser_groups_in_its_own_way_were_heard() -> None:
    case = Case("time", "The train leaves at 17:45.", ("the train leaves at seventeen forty five",))
    assert judge(case, heard("the train leaves, at 1745")).verdict == "pass"
    assert judge(case, heard("the train leaves at 1735")).verdict == "doubtful"


def test_a_failure_is_one_whatever_was_heard() -> None:
    judged = judge(Case("number", "3 | 4", ("three", "four")), heard("four", "silence"))
    assert (judged.verdict, judged.should, judged.likeness) == ("fail", "four", 1.0)
    assert "3 \\| 4" in markdown([judged])


def test_spaces_do_not_count() -> None:
    assert likeness("she sells sea shells", "She sells seashells!") == 1.0


def test_sentences_of_every_length() -> None:
    made = random_sentences(2 * LONGEST)
    assert sorted({len(text.split()) for text in made}) == list(range(1, LONGEST + 1))
    assert made == random_sentences(2 * LONGEST) and all(text[-1] in ".!?" for text in made)
