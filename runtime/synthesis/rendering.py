"""Segments to chunks: each piece is synthesized, stretched to its segment's rate, and separated by pauses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from ..audio import AudioChunk
from ..bundle.voice import Voice
from ..output.processing import OutputProcessor
from ..stats import StatsAccumulator
from ..vocoder.time_stretch import TimeStretcher
from .segments import Segment, split_ids
from .sentence import Request, SentenceSynthesizer

Say = Callable[[list[int], int, Request, StatsAccumulator], Iterator[np.ndarray]]
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
        number = 0
        for index, line in enumerate(lines):
            if request.cancel_token.cancelled:
                break
            if line.pause:
                silence = np.zeros(round(line.pause * self._rate), np.float32)
                yield AudioChunk(silence, self._rate, max(0, index - 1), "")
            stretcher = TimeStretcher(line.rate, self._rate)
            tally.sentences += bool(line.ids)
            for part in self.pieces(line, request.voice):
                for samples in say(part, number, request, tally):
                    if len(changed := stretcher.push(samples)):
                        yield AudioChunk(changed, self._rate, index, line.text)
                number += 1
            if not request.cancel_token.cancelled and len(rest := stretcher.flush()):
                yield AudioChunk(rest, self._rate, index, line.text)

    def pieces(self, line: Segment, voice: Voice) -> Iterator[list[int]]:
        """Yield the ids that the model speaks at a time: all of a segment, unless it is longer than the cache."""
        return split_ids(line.ids, self._speech.decoder.room(voice), self._space)
