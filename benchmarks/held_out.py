"""Sentences that no training stage ever saw, with the seconds that each voice of the teacher takes to read them."""

from __future__ import annotations

import importlib.resources
from typing import NamedTuple

DATA = importlib.resources.files("benchmarks") / "data"


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
