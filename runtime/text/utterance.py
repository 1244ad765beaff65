"""Result of a front end: utterances with the user's words and their spoken forms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SpokenWord:
    """One token of the text and how it is said."""

    text: str
    """As the user wrote it."""
    start: int
    end: int
    """Characters of the text given."""
    words: str
    """Lower-case words."""
    phonemes: str
    """Symbols of the model, words separated by spaces."""
    kind: str
    """Class whose rule read it: "word", "money", "date", "unit" ..."""
    first_id: int = 0
    last_id: int = 0
    """Its ids are `Utterance.ids[first_id:last_id]`; none where the two are equal."""


@dataclass(frozen=True)
class Utterance:
    """Text that is spoken at a time."""

    text: str
    """The part of the user's text that it says."""
    start: int
    """Where that begins in the text."""
    spoken: str
    """Normalised words."""
    phonemes: str
    """Symbols of the model; empty for a front end without phonemes."""
    ids: list[int]
    words: tuple[SpokenWord, ...] = ()
