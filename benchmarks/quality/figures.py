"""Readings to figures: per system, with 95 % bootstrap intervals over sentences, and differences on the same sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from benchmarks.judges.bootstrap import interval, mean_interval
from benchmarks.judges.word_errors import WordErrors, word_errors
from benchmarks.quality.failures import KINDS
from benchmarks.quality.readings import ScoredSentence

SIMILAR = 0.8
"""Cosine above which a reading is taken for the voice itself."""


class Figure(msgspec.Struct, frozen=True):
    """A value and its interval."""

    value: float
    low: float
    high: float


class Difference(msgspec.Struct, frozen=True):
    """Word error rate less that of another system, in points."""

    against: str
    recogniser: str
    points: Figure


class QualityRow(msgspec.Struct, frozen=True):
    """One system."""

    system: str
    sentences: int
    wer: dict[str, Figure]
    """Per cent, by recogniser."""
    differences: list[Difference]
    similarity: Figure
    """Mean cosine to the right voice."""
    wrong_similarity: float | None
    """Mean cosine to the nearest of the other voices."""
    similar: float
    """Per cent of sentences whose cosine to the right voice is above 0.8 ..."""
    right_voice: float | None
    """... and is the largest of all voices."""
    dnsmos: Figure
    p808: Figure
    distillmos: Figure
    duration: Figure
    """Total seconds / the teacher's."""
    longest: float
    """Longest reading / the teacher's."""
    failures: dict[str, int]
    rtf: float | None = None
    """Median compute time / audio time; None for what is not synthesised here."""


def summarise(readings: Sequence[ScoredSentence], order: Sequence[str], rtf: Mapping[str, float]) -> list[QualityRow]:
    """A row for each system of `order`; differences are taken to each system above it in the list."""
    by_system = {name: sorted((r for r in readings if r.system == name), key=lambda r: r.number) for name in order}
    errors = {name: errors_of(own) for name, own in by_system.items()}
    return [_row(name, by_system[name], errors, list(order[:index]), rtf.get(name)) for index, name in enumerate(order)]


def errors_of(readings: Sequence[ScoredSentence]) -> dict[str, WordErrors]:
    """Word errors by recogniser."""
    names = list(readings[0].heard) if readings else []
    return {name: word_errors([r.text for r in readings], [r.heard[name] for r in readings]) for name in names}


def _row(name: str, readings: list[ScoredSentence], errors: Mapping[str, Mapping[str, WordErrors]], above: list[str],
         rtf: float | None) -> QualityRow:
    right = [r.similarity[r.voice] for r in readings]
    wrong = [max((value for voice, value in r.similarity.items() if voice != r.voice), default=None) for r in readings]
    others = [value for value in wrong if value is not None]
    won = [mine > other for mine, other in zip(right, others, strict=True)] if others else []
    own, teacher = [r.seconds for r in readings], [r.teacher_seconds for r in readings]
    counts = Counter(kind for r in readings for kind in r.failures)
    return QualityRow(
        system=name, sentences=len(readings),
        wer={asr: Figure(found.rate, *found.interval()) for asr, found in errors[name].items()},
        differences=[Difference(other, asr, Figure(*found.difference(errors[other][asr])))
                     for other in above for asr, found in errors[name].items()],
        similarity=_mean(right), wrong_similarity=float(np.mean(others)) if others else None,
        similar=100.0 * float(np.mean([value > SIMILAR for value in right])),
        right_voice=100.0 * float(np.mean(won)) if won else None,
        dnsmos=_mean([r.dnsmos for r in readings]), p808=_mean([r.p808 for r in readings]),
        distillmos=_mean([r.distillmos for r in readings]),
        duration=Figure(sum(own) / sum(teacher), *interval(own, teacher)),
        longest=max(a / b for a, b in zip(own, teacher, strict=True)),
        failures={kind: counts[kind] for kind in KINDS}, rtf=rtf)


def _mean(values: Sequence[float]) -> Figure:
    return Figure(float(np.mean(values)), *mean_interval(values))
