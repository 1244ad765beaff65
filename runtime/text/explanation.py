"""Explanation of a text's reading, span by span, for bug reports and fixes."""

from __future__ import annotations

from dataclasses import dataclass

from .loading import FrontEnd
from .ssml import is_ssml, parse_ssml
from .utterance import Utterance

_HEADER = ("text", "class", "words", "phonemes")


@dataclass(frozen=True)
class Explanation:
    """The utterances of a text; as a string, a table for each."""

    utterances: tuple[Utterance, ...]

    def __str__(self) -> str:
        return "\n\n".join(_table(utterance) for utterance in self.utterances)


def explain(front_end: FrontEnd, text: str) -> Explanation:
    """Read a text or an SSML document without speaking it.

    Raises:
        TextError: nothing can be said, or the SSML is beyond the core that is read.
    """
    passages = [passage.text for passage in parse_ssml(text) if passage.text] if is_ssml(text) else [text]
    return Explanation(tuple(utterance for passage in passages for utterance in front_end.utterances(passage)))


def _table(utterance: Utterance) -> str:
    rows = [(" ".join(word.text.split()), word.kind, word.words, word.phonemes) for word in utterance.words]
    return "\n".join([utterance.spoken, *_aligned([_HEADER, *rows])]) if rows else utterance.spoken


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
