"""Times of words while their sentences are decoded: from the alignment of codec tokens to phoneme ids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..text.normalization.inline_pronunciations import without_pronunciations
from ..text.phonemes import PUNCTUATION, SYMBOLS
from ..text.utterance import SpokenWord
from ..timing.words import Phoneme, Word
from .alignment import AlignmentVerifier, PathTracker

_STRESS = "ˈˌ"
_FRAME_SECONDS = 0.01
_SILENCE_DB = 35.0
"""Below the loudest frame of the utterance by this much is silence."""


class WordTimer:
    """Words of one utterance of the user, given out once each, by the time at which they begin."""

    def __init__(self, verifier: AlignmentVerifier, token_seconds: float, sample_rate: int, lag: float = 0.0) -> None:
        """`token_seconds`: length of one codec token's samples; `lag`: seconds from a phoneme's sound to its tokens."""
        self._lag = lag
        self._verifier = verifier
        self._frame = round(_FRAME_SECONDS * sample_rate)
        self._loudest = -120.0
        self._token_seconds = token_seconds
        self._done: list[Word] = []
        self._segment: list[Word] = []
        self._given = 0
        """Words of the segment that were given out."""
        self.begin_segment([], (), 0.0, 1.0)

    @property
    def words(self) -> list[Word]:
        """All words given out so far, with the times known now."""
        return self._done + self._segment[:self._given]

    @property
    def last(self) -> Word | None:
        """The last of `words`."""
        given = self._segment[:self._given] or self._done
        return given[-1] if given else None

    def begin_segment(self, ids: Sequence[int], words: Sequence[SpokenWord], start: float, rate: float) -> None:
        """Begin a sentence that starts `start` seconds into the utterance and is spoken at `rate`."""
        self._done += self._segment
        self._segment, self._given = [], 0
        self._ids, self._words, self._start, self._rate = list(ids), list(words), start, rate
        self._bounds = np.full(len(ids) + 1, np.inf)
        """float64 [N + 1]: seconds of the segment, at rate 1, before each id and after the last, as far as known."""
        self._levels = np.zeros(0, np.float32)
        """float32 [F]: decibels of each frame of the segment's samples."""
        self._rest = np.zeros(0, np.float32)
        self._piece: PathTracker = self._verifier.begin_path([])
        self._first = self._count = self._before = self._tokens = 0
        self._ended = False

    def begin_piece(self, first: int, ids: Sequence[int]) -> None:
        """Begin a part of the sentence that the model speaks at a time, from its id `first` on."""
        self._align()
        self._piece = self._verifier.begin_path(ids)
        self._first, self._count = first, len(ids)
        self._before += self._tokens
        self._tokens = 0
        self._ended = False

    def push(self, tokens: np.ndarray) -> None:
        """Add codec tokens int64 [K] of the piece; none at its end."""
        self._piece.push(tokens)
        self._tokens += len(tokens)
        self._ended = not len(tokens)

    def hear(self, samples: np.ndarray) -> None:
        """Add samples float32 [T] of the segment, at rate 1: where a pause begins is heard more exactly than aligned."""
        samples = np.concatenate((self._rest, samples))
        frames = samples[:len(samples) // self._frame * self._frame].reshape(-1, self._frame)
        self._rest = samples[frames.size:]
        levels = 10 * np.log10(np.square(frames).mean(1) + 1e-12)
        self._levels = np.concatenate((self._levels, levels))
        self._loudest = max([self._loudest, *levels.tolist()])

    def due(self, seconds: float) -> tuple[Word, ...]:
        """Return the words that begin before `seconds` of the utterance and were not given out.

        The end of one that goes on after the decoded tokens is estimated by the pace of its sentence.
        """
        self._align()
        complete = self._ended and self._first + self._count >= len(self._ids)
        count = len(self._segment) if complete else sum(word.start < seconds for word in self._segment)
        new = tuple(self._segment[self._given:count])
        self._given = max(self._given, count)
        return new

    def _align(self) -> None:
        """Update the bounds of the piece's ids, and the segment's words."""
        if not self._tokens:
            return
        path = self._piece.path(self._ended)
        bounds = np.searchsorted(path, np.arange(self._count + 1)).astype(np.float64)
        reached = int(path[-1])
        if not self._ended:
            pace = self._tokens / (reached + 1)
            bounds[reached + 1:] = self._tokens + pace * np.arange(self._count - reached)
        seconds = np.maximum(self._token_seconds * (self._before + bounds) - self._lag, 0.0)
        self._bounds[self._first:self._first + self._count + 1] = seconds
        words = [word for word in self._words if word.first_id < word.last_id and np.isfinite(self._bounds[word.first_id])]
        self._trim(words)
        self._segment = [self._timed(word) for word in words]

    def _trim(self, words: Sequence[SpokenWord]) -> None:
        """Take silence from the segment's first word and from the ends of words before a mark: phonemes have no sign for it."""
        for index, word in enumerate(words):
            own = self._bounds[word.first_id:word.last_id + 1]
            if index and word.last_id < len(self._ids) and SYMBOLS[self._ids[word.last_id] - 1] not in PUNCTUATION:
                continue
            start, end = round(own[0] / _FRAME_SECONDS), round(min(own[-1], 1e6) / _FRAME_SECONDS)
            audible = np.flatnonzero(self._levels[start:end] > self._loudest - _SILENCE_DB)
            if not len(audible):
                continue
            if not index:
                np.maximum(own, own[0] + audible[0] * _FRAME_SECONDS, out=own)
            if end <= len(self._levels):
                np.minimum(own, (start + audible[-1] + 1) * _FRAME_SECONDS, out=own)

    def _timed(self, word: SpokenWord) -> Word:
        phonemes = []
        opening = word.first_id
        for index in range(word.first_id, word.last_id):
            symbol = SYMBOLS[self._ids[index] - 1]
            if symbol not in _STRESS:
                if symbol != " " and symbol not in PUNCTUATION:
                    phonemes.append(Phoneme(symbol, self._seconds(opening), self._seconds(index + 1)))
                opening = index + 1
        return Word(without_pronunciations(word.text), self._seconds(word.first_id), self._seconds(word.last_id),
                    (word.start, word.end), word.words, tuple(phonemes))

    def _seconds(self, index: int) -> float:
        decoded = (self._before + self._tokens) * self._token_seconds
        known = self._bounds[index] if np.isfinite(self._bounds[index]) else decoded
        return float(self._start + known / self._rate)
