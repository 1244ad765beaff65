"""What `normalize` makes of text: a table of cases by kind, and properties that hold for any text."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.text.normalization import number_words as numbers
from runtime.text.normalize import normalize
from tests.runtime.text.tables import read_cases

OUTPUT = re.compile(r"[a-z]+(?:'[a-z]+)*(?:(?:[;:,.!?…]? | — )[a-z]+(?:'[a-z]+)*)*[;:.!?…]?|")
"""Words, one mark at most between two of them, and perhaps one at the end."""

CASES = read_cases("normalization.tsv")


@pytest.mark.parametrize(("text", "spoken"), [pytest.param(text, spoken, id=f"{kind}: {text}") for kind, text, spoken in CASES])
def test_case(text: str, spoken: str) -> None:
    assert normalize(text) == spoken
    assert normalize(spoken) == spoken


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 280


SPICE = st.sampled_from((
    "$", "5", "1.5", "12:30", "-", "/", "a.m.", "St.", "Dr. ", "U.S.", "GPU", "A", " ", "\n", "#", "@", "x", "e.g.",
    "%", "°", "http://a.b/c", "1/2", "2026-11-23", "kg", "m/s", "'", "\"", "(", ")", "]", "…", "—", "No.", ".", "*",
    "_", "&", "~", "camelCase", "II", "1e5", "0x1f", "Mon", "etc.", "|", ":", ",", "^2", "é", "½", "\\", "<", ">",
    "+", "=", "ID", "vs", "et al", "misc", "approx.", "os", "'s", "Ed", "ING", "es", "Mc", "tmp", "km", "v1.2", "!",
    "?", ";", "s", "(s)",
))


@settings(max_examples=250, deadline=None)
@given(st.one_of(st.text(max_size=80), st.lists(SPICE, max_size=14).map("".join),
                 st.lists(SPICE, max_size=10).map(" ".join)))
def test_any_text_gives_words_and_stays_as_it_is(text: str) -> None:
    spoken = normalize(text)
    assert OUTPUT.fullmatch(spoken), spoken
    assert normalize(spoken) == spoken


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=10**18))
def test_integers_are_worded_as_num2words_does(value: int) -> None:
    num2words = pytest.importorskip("num2words").num2words

    def reference(kind: str) -> str:
        return str(num2words(value, to=kind)).replace(",", "").replace("-", " ")

    assert numbers.cardinal(value) == reference("cardinal")
    assert numbers.ordinal(value) == reference("ordinal")


@pytest.mark.parametrize("value", [*range(1000, 1012), 1066, 1100, *range(1900, 2031), 2099, 2100])
def test_years_are_worded_as_num2words_does(value: int) -> None:
    num2words = pytest.importorskip("num2words").num2words
    assert numbers.year(value) == str(num2words(value, to="year")).replace(",", "").replace("-", " ")


PROSE = ("The robot (ROS2) moved 3.5 m/s at 3:45 p.m. on Nov. 23, 2026; it cost $3.50 — see https://example.com/a_b. "
         "Mr. Smith's GPU has 16GB. Then it went back to the charging station, slowly, because the door was still "
         "closed and nobody had answered; it waited there for a while and asked again.\n")


def test_a_megabyte_takes_seconds() -> None:
    text = (PROSE * (1_000_000 // len(PROSE) + 1))[:1_000_000]
    started = time.process_time()
    assert len(normalize(text)) > 1_000_000
    assert time.process_time() - started < 20


@pytest.mark.parametrize("unit", ["a", "1", "1.", "A. ", "[", "<a ", "* ", "1-", "/a", "'", "\" 1\"", "(", "St. "])
def test_monotonous_text_takes_linear_time(unit: str) -> None:
    text = (unit * (100_000 // len(unit) + 1))[:100_000]
    started = time.process_time()
    assert len(normalize(text)) < 600_000
    assert time.process_time() - started < 5


def test_a_long_run_is_cut_not_lost() -> None:
    assert normalize("b" * 1000).replace(" ", "") == "b" * 1000
