"""Normalised text to utterances: sentences, cut where they are too long and joined where they are too short."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")
_CUTS = (re.compile(r"(?<=[;:—])\s+"), re.compile(r"(?<=,)\s+"), re.compile(r"\s+"))
"""Where a long sentence is cut, best first."""
_TINY_WORDS, _TINY_CHARS = 3, 12
LONGEST = 140
"""Characters of the longest sentences in the embedded voice's corpus; in longer ones it loses its place."""


def split_sentences(text: str, max_chars: int = LONGEST) -> list[str]:
    """Utterances of at most `max_chars` characters, in order, without losing a word.

    A word above `max_chars` is cut. A fragment such as "No." joins a neighbour: a model says so little text badly.
    """
    if max_chars < 1:
        raise ValueError(f"max_chars must be at least 1, not {max_chars}")
    pieces: list[str] = []
    for sentence in _SENTENCE_END.split(text.strip()):
        pieces += _fit(sentence, max_chars, 0)
    return _join_tiny([piece for piece in pieces if piece], max_chars)


def _fit(text: str, limit: int, level: int) -> list[str]:
    """`text` whole, or cut at the `level`-th kind of place and, where that is too coarse, at the next kinds."""
    if len(text) <= limit:
        return [text]
    if level == len(_CUTS):
        return [text[start:start + limit] for start in range(0, len(text), limit)]
    pieces: list[str] = []
    for part in _CUTS[level].split(text):
        pieces += _fit(part, limit, level + 1)
    return _pack(pieces, limit)


def _pack(pieces: Iterable[str], limit: int) -> list[str]:
    """Neighbours joined again into as few groups as fit, the longest of which is as short as it can be: no crumb at the end."""
    parts = list(pieces)
    fewest, low = _packed(parts, limit), max(map(len, parts), default=1)
    while low < limit:
        middle = (low + limit) // 2
        packed = _packed(parts, middle)
        low, limit, fewest = (low, middle, packed) if len(packed) == len(fewest) else (middle + 1, limit, fewest)
    return fewest


def _packed(pieces: Iterable[str], limit: int) -> list[str]:
    """Neighbours joined as long as they fit."""
    packed: list[list[str]] = []
    length = 0
    for piece in pieces:
        if packed and length + 1 + len(piece) <= limit:
            packed[-1].append(piece)
            length += 1 + len(piece)
        else:
            packed.append([piece])
            length = len(piece)
    return [" ".join(group) for group in packed]


def _join_tiny(pieces: list[str], limit: int) -> list[str]:
    """Join a tiny piece to the next one, or to the one before, where there is room."""
    joined: list[str] = []
    for piece in pieces:
        if joined and (_is_tiny(joined[-1])) and len(joined[-1]) + 1 + len(piece) <= limit:
            joined[-1] += " " + piece
        else:
            joined.append(piece)
    if len(joined) > 1 and _is_tiny(joined[-1]) and len(joined[-2]) + 1 + len(joined[-1]) <= limit:
        last = joined.pop()
        joined[-1] += " " + last
    return joined


def _is_tiny(piece: str) -> bool:
    return len(piece) < _TINY_CHARS and len(piece.split()) < _TINY_WORDS
