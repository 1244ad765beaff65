"""Segments to chunks: each piece is synthesized, stretched to its segment's rate, and separated by pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import count

import numpy as np

from ..audio import AudioChunk
from ..bundle.voice import Voice
from ..output.processing import OutputProcessor
from ..stats import StatsAccumulator, Timer
from ..vocoder.time_stretch import TimeStretcher
from .segments import Segment, split_ids
from .sentence import Observer, Request, SentenceSynthesizer, ignore_tokens
from .word_times import WordTimer

Say = Callable[[list[int], int, Request, StatsAccumulator, Observer], Iterator[np.ndarray]]
"""Samples of one piece of text, by its ids and number: `SentenceSynthesizer.synthesize`, or the tokens of a batch vocoded."""


class UtteranceRenderer:
    """Render segments to chunks, from whatever source the samples of their pieces come."""

    def __init__(self, speech: SentenceSynthesizer, space: int | None, sample_rate: int, output: OutputProcessor) -> None:
        """`sample_rate`: of the vocoder; `output` converts its samples to those of the device."""
        self._speech = speech
        self._space = space
        self._rate = sample_rate
        self._output = output

    def chunks(self, lines: Iterable[Segment], request: Request, tally: StatsAccumulator, say: Say) -> Iterator[AudioChunk]:
        """Yield all chunks, pauses included; none after a cancel. Each piece's number seeds its random numbers."""
        token = request.cancel_token
        return self._output.apply(self._rendered(lines, request, tally, say), lambda: token.cancelled)

    def _rendered(self, lines: Iterable[Segment], request: Request, tally: StatsAccumulator,
                  say: Say) -> Iterator[AudioChunk]:
        numbers, total = count(), 0
        timer = tally.timer = self._word_timer(request)
        for index, line in enumerate(lines):
            if request.cancel_token.cancelled:
                break
            if line.pause:
                silence = np.zeros(round(line.pause * self._rate), np.float32)
                total += len(silence)
                yield AudioChunk(silence, self._rate, max(0, index - 1), "", None if timer is None else ())
            tally.sentences += bool(line.ids)
            if timer is not None:
                timer.begin_segment(line.ids, line.words, total / self._rate, line.rate)
            for samples in self._samples(line, numbers, request, tally, say, timer):
                total += len(samples)
                words = None
                if timer is not None:
                    with Timer(tally.stage_seconds, "listener"):
                        words = timer.due(total / self._rate)
                yield AudioChunk(samples, self._rate, index, line.text, words)

    def _samples(self, line: Segment, numbers: Iterator[int], request: Request, tally: StatsAccumulator, say: Say,
                 timer: WordTimer | None) -> Iterator[np.ndarray]:
        """Yield samples float32 [T > 0] of a segment at its rate."""
        stretcher = TimeStretcher(line.rate, self._rate)
        for first, part in self.pieces(line, request.voice):
            if timer is not None:
                timer.begin_piece(first, part)
            for samples in say(part, next(numbers), request, tally, ignore_tokens if timer is None else timer.push):
                if timer is not None:
                    timer.hear(samples)
                if len(changed := stretcher.push(samples)):
                    yield changed
        if not request.cancel_token.cancelled and len(rest := stretcher.flush()):
            yield rest

    def pieces(self, line: Segment, voice: Voice) -> Iterator[tuple[int, list[int]]]:
        """Yield the ids that the model speaks at a time, with their place among the segment's.

        That is all of a segment, unless it is longer than the cache.
        """
        return split_ids(line.ids, self._speech.decoder.room(voice), self._space)

    def _word_timer(self, request: Request) -> WordTimer | None:
        if not request.words or self._speech.listener is None:
            return None
        manifest = self._speech.decoder.manifest
        return WordTimer(self._speech.listener, 1 / manifest.token_rate, self._rate, manifest.phoneme_lag)
