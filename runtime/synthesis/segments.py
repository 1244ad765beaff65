"""Text of a caller to segments: text ids, each with its rate and the pause before it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace
from itertools import chain

from ..errors import NothingToSayError, TextError
from ..options import MAX_RATE, MIN_RATE, QUIET_SECONDS
from ..stats import StatsAccumulator, Timer
from ..streaming.request_queue import CancelToken
from ..text.clauses import Quiet, clauses
from ..text.loading import FrontEnd
from ..text.normalization.inline_pronunciations import without_pronunciations
from ..text.passage import Passage, Place
from ..text.ssml import is_ssml, parse_ssml
from ..text.utterance import SpokenWord, Utterance
from .text_queue import TextQueue

MAX_CHARACTERS = 100_000
"""Longest text of one call: about two hours of speech. Text that comes piece by piece has no such limit."""
PAUSE_SECONDS = 0.15
"""Silence between two sentences, on top of what the voice itself leaves."""
_NOTHING = "The text holds nothing that can be spoken; give it at least one word or number."

Text = str | Iterable[str] | AsyncIterable[str]
"""A text, SSML, or the pieces of a text that is still being written."""


@dataclass(frozen=True)
class Segment:
    """One sentence or clause, ready for the model. Without ids it is only a pause."""

    text: str
    """The user's own."""
    ids: list[int]
    rate: float
    pause: float
    """Seconds of silence before it."""
    words: tuple[SpokenWord, ...] = ()
    """Its words with their ids and their spans in the text given; empty for a front end without phonemes."""


class TextSegmenter:
    """Reads one utterance's text with a front end, and counts the time that takes."""

    def __init__(self, front_end: FrontEnd, tally: StatsAccumulator, rate: float = 1.0,
                 quiet_seconds: float = QUIET_SECONDS) -> None:
        """`quiet_seconds` without a new piece of the text speak what is certain."""
        self._front_end = front_end
        self._tally = tally
        self._rate = rate
        self._quiet_seconds = quiet_seconds
        self._spoken = 0

    def begin(self, text: Text, cancel_token: CancelToken) -> Iterable[Segment]:
        """Lines of whatever form of text. A whole one is refused here (TextError) if nothing in it can be spoken."""
        check_text(text)
        if not isinstance(text, str):
            return self.segments_of_pieces(text, _running_loop(), cancel_token)
        lines = self.lines(text)
        return chain([next(lines)], lines)

    def lines(self, text: str) -> Iterator[Segment]:
        """Lines of a whole text or SSML document, worked out as they are needed."""
        passages = parse_ssml(text) if is_ssml(text) else [Passage(text)]
        for passage in passages:
            yield from self._read(passage)
        if not self._spoken:
            raise TextError(_NOTHING)

    def segments_of_pieces(self, pieces: Iterable[str] | AsyncIterable[str], loop: asyncio.AbstractEventLoop | None,
                        cancel_token: CancelToken) -> Iterator[Segment]:
        """Lines of a text that is still being written, each as soon as its clause is complete."""
        feed = TextQueue(self._quiet_seconds)
        cancel_token.on_cancel(feed.close)
        reading: Future[None] | None = None
        try:
            if isinstance(pieces, AsyncIterable):
                reading = _read_in_loop(feed, pieces, loop, cancel_token)
            else:
                feed.fill_from(pieces, cancel_token)
            for clause in clauses(self._waiting_for(feed)):
                if cancel_token.cancelled:  # a text with nothing to say yields no segment to stop at
                    break
                place = Place(0, clause.start, clause.start + len(clause.text), True)
                yield from self._read(Passage(clause.text, places=(place,)))
        finally:
            feed.close()
            if reading is not None:
                reading.cancel()
        if not self._spoken and not cancel_token.cancelled:
            raise TextError(_NOTHING)

    def _read(self, passage: Passage) -> Iterator[Segment]:
        """Lines of one passage; none but its pause if nothing in it can be said."""
        pause = passage.pause
        with Timer(self._tally.stage_seconds, "text"):
            utterances = self._utterances(passage.text)
        for utterance in utterances:
            if utterance.ids:
                usual = PAUSE_SECONDS if self._spoken else 0.0
                rate = min(max(passage.rate * self._rate, MIN_RATE), MAX_RATE)
                self._spoken += 1
                yield Segment(without_pronunciations(utterance.text), utterance.ids, rate, usual if pause is None else pause,
                              _placed(utterance.words, passage))
                pause = None
        if pause:
            yield Segment("", [], 1.0, pause)

    def _utterances(self, text: str) -> list[Utterance]:
        try:
            return self._front_end.utterances(text)
        except NothingToSayError:  # nothing to say: an emoji between two sentences is no reason to fall silent
            return []

    def _waiting_for(self, feed: TextQueue) -> Iterator[str | Quiet]:
        """The same pieces; the time until they come is not counted as computing."""
        begin = time.perf_counter()
        for piece in feed:
            self._tally.waited_seconds += time.perf_counter() - begin
            yield piece
            begin = time.perf_counter()
        self._tally.waited_seconds += time.perf_counter() - begin


def _placed(words: tuple[SpokenWord, ...], passage: Passage) -> tuple[SpokenWord, ...]:
    """Return words with their spans in the text given."""
    if not passage.places:
        return words
    spans = [passage.origin(word.start, word.end) for word in words]
    return tuple(replace(word, start=start, end=end) for word, (start, end) in zip(words, spans, strict=True))


def _read_in_loop(feed: TextQueue, pieces: AsyncIterable[str], loop: asyncio.AbstractEventLoop | None,
                  cancel_token: CancelToken) -> Future[None]:
    if loop is None:
        raise TextError("Text from an asynchronous iterator needs a running event loop; call stream() in a coroutine.")
    if _running_loop() is loop:
        raise TextError("Text from an asynchronous iterator is spoken with `async for`: a plain loop would block its writer.")
    return asyncio.run_coroutine_threadsafe(feed.fill_from_async(pieces, cancel_token), loop)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def check_text(text: Text) -> None:
    """TextError unless `text` is a string of 1 to `MAX_CHARACTERS` characters, not all of them white space, or pieces."""
    if isinstance(text, str):
        if len(text) > MAX_CHARACTERS:
            raise TextError(f"The text has {len(text):,} characters, at most {MAX_CHARACTERS:,} fit one call; split it.")
        if not text.strip():
            raise TextError("The text is empty; give it at least one word.")
    elif isinstance(text, bytes | bytearray) or not isinstance(text, Iterable | AsyncIterable):
        raise TextError(f"The text must be a string, or an iterator of strings, not {type(text).__name__}.")


def split_ids(ids: list[int], room: int, space: int | None) -> Iterator[tuple[int, list[int]]]:
    """Pieces of at most `room` ids, cut at a space between words where there is one, each with its place in `ids`."""
    first = 0
    while len(ids) - first > room:
        spaces = [place for place in range(first + 1, first + room) if ids[place] == space]
        cut = spaces[-1] if spaces else first + room
        yield first, ids[first:cut]
        first = cut + bool(spaces)
    if ids[first:]:
        yield first, ids[first:]
