"""Words and sentences of an utterance with their times."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .visemes import SHAPES, SILENCE, Viseme


@dataclass(frozen=True)
class Phoneme:
    """One sound of a word."""

    symbol: str
    """A symbol of `runtime.text.phonemes`: IPA, but one character for a diphthong or an affricate."""
    start: float
    end: float
    """Seconds from the first sample of the utterance."""


@dataclass(frozen=True)
class Word:
    """One word of the text with its time. What is read as several words ("$3.50") is one, as the user wrote it."""

    text: str
    """As the user wrote it."""
    start: float
    end: float
    """Seconds from the first sample of the utterance."""
    span: tuple[int, int]
    """First character and the one after the last in the text given; in pieces of a text joined, or in an SSML document."""
    spoken: str
    """The words that are said, in lower case: "three dollars and fifty cents"."""
    phonemes: tuple[Phoneme, ...]


@dataclass(frozen=True)
class Sentence:
    """One sentence, or clause of a stream, with its time."""

    text: str
    """As the user wrote it."""
    start: float
    end: float
    """Seconds from the first sample of the utterance; the voice's own silence at the end is part of it."""


def last_word(words: Sequence[Word], seconds: float) -> Word | None:
    """Return the last word that begins before `seconds` of the utterance: what a listener heard of it until then."""
    index = bisect_left([word.start for word in words], seconds) - 1
    return words[index] if index >= 0 else None


def visemes(words: Iterable[Word], seconds: float = 0.0) -> list[Viseme]:
    """Return the mouth shapes of words without gaps: silence between phonemes that do not touch, and up to `seconds`.

    Neighbours of one shape are joined; a diphthong has two shapes of half its time each.
    """
    shapes: list[Viseme] = []
    for word in words:
        for phoneme in word.phonemes:
            _append(shapes, SILENCE, phoneme.start)
            names = SHAPES.get(phoneme.symbol, (SILENCE,))
            for index, name in enumerate(names, 1):
                _append(shapes, name, phoneme.start + (phoneme.end - phoneme.start) * index / len(names))
    _append(shapes, SILENCE, seconds)
    return shapes


def _append(shapes: list[Viseme], name: str, end: float) -> None:
    """Go on with a shape until `end`; nothing where that is reached already."""
    start = shapes[-1].end if shapes else 0.0
    if end <= start:
        return
    if shapes and shapes[-1].name == name:
        shapes[-1] = shapes[-1]._replace(end=end)
    else:
        shapes.append(Viseme(name, start, end))
