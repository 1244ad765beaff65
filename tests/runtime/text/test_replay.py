"""Long repetitive texts: their parts are read once, and read as if nothing was copied."""

from __future__ import annotations

import random

import pytest

from runtime.text.normalization import scanner
from runtime.text.normalization.rules import RULES
from runtime.text.normalization.scanner import Scanner
from runtime.text.normalization.tokens import Token
from runtime.text.normalize import normalize

UNITS = ("A1 ", "1 ", "1/", "5m ", "1.", "1", "a1", "-", "$1 ", "[", "\u200b", "1-", "1,", "1:", "x^", "a@b.c ", "Dr. ", "I ",
         "IV ", "5'", "1st ", "Jan. ", "1/2 ", "10% ", "+1 ", "#1 ", "½", "A-", "1.2.3.4 ", "10:30 ", "5 ft. ", "- a\n", "a\n",
         "12 345 ", '"a" ', "v1.2 ", "(555) 123-4567 ", "5x5 ", "a/b", "1990s ", "May 5 ", "1,000,")


def scan(text: str, replayed: bool, monkeypatch: pytest.MonkeyPatch) -> list[Token]:
    monkeypatch.setattr(scanner, "LONG_TEXT", 0 if replayed else len(text))
    return Scanner(text, RULES).scan()


def test_copied_tokens_are_those_that_the_rules_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty texts of a few units, which change here and there."""
    for seed in range(60):
        rng = random.Random(seed)
        chosen = rng.sample(UNITS, rng.randrange(1, 4))
        text = "".join(rng.choice(UNITS) if rng.random() < 0.01 else unit
                       for unit in chosen for _ in range(rng.randrange(50, 400)))
        assert scan(text, True, monkeypatch) == scan(text, False, monkeypatch), (seed, chosen)


@pytest.mark.parametrize("unit", ["A1 ", "1 ", "1/", "5m ", "1-", "$1 ", "[", "\u200b", "1.", "a@b.c ", "½"])
def test_a_longer_text_of_one_unit_costs_hardly_more(unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the places at which rules are tried, which no busy machine changes."""
    tried = 0
    original = Scanner._token

    def counted(self: Scanner, position: int, shape: frozenset[str]) -> int:
        nonlocal tried
        tried += 1
        return original(self, position, shape)

    monkeypatch.setattr(Scanner, "_token", counted)
    counts = []
    for size in (60_000, 120_000):
        tried = 0
        assert normalize((unit * size)[:size]) or unit in "-[\u200b"
        counts.append(tried)
    assert counts[1] <= 1.1 * counts[0] + 1000
