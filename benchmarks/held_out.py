"""Sentences that no training stage ever saw, with the seconds that the teacher takes to read each."""

from __future__ import annotations

import importlib.resources
from typing import NamedTuple


class HeldOut(NamedTuple):
    """One sentence of `data/held_out.tsv`."""

    teacher_seconds: float
    text: str


def held_out(count: int | None = None) -> list[HeldOut]:
    """The first `count` sentences of the list, or all."""
    lines = (importlib.resources.files("benchmarks") / "data" / "held_out.tsv").read_text(encoding="utf-8").splitlines()
    return [HeldOut(float(seconds), text) for seconds, text in (line.split("\t") for line in lines[:count])]
