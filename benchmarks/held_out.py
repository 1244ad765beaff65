"""Sentences that no training stage ever saw, with the seconds that each voice of the teacher takes to read them."""

from __future__ import annotations

import importlib.resources
from typing import NamedTuple

DATA = importlib.resources.files("benchmarks") / "data"


DEMO_SENTENCES = ("Do you want me to bring the cup?", "The boy stood on the burning deck, Eating peanuts by the peck.")
"""Held-out sentences whose sound is kept in reports."""


class HeldOut(NamedTuple):
    """One sentence of `data/held_out.tsv`."""

    teacher_seconds: float
    text: str


def held_out(count: int | None = None, voice: str | None = None) -> list[HeldOut]:
    """The first `count` sentences of the list, or all, with the seconds of `voice`: the list's own where it has no others."""
    lines = (DATA / "held_out.tsv").read_text(encoding="utf-8").splitlines()[:count]
    rows = [line.split("\t") for line in lines]
    others = DATA / "teacher" / f"{voice}.seconds.txt"
    seconds = others.read_text().split() if voice is not None and others.is_file() else [row[0] for row in rows]
    return [HeldOut(float(value), row[1]) for value, row in zip(seconds, rows, strict=False)]


def spoken_sentences(count: int) -> list[str]:
    """`count` held-out sentences, those that reports let one listen to first."""
    texts = [*DEMO_SENTENCES, *(sentence.text for sentence in held_out() if sentence.text not in DEMO_SENTENCES)]
    return texts[:count]
