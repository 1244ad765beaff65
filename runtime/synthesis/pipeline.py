"""A bundle's model as all its utterances share it: loaded once, used by one of them at a time, given back at the end."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence

from ..audio import Audio, AudioChunk
from ..backends import create_backend
from ..bundle.reader import Bundle
from ..decoding.batch_decoder import BatchDecoder
from ..errors import BackendError, BundleError, TextError
from ..stats import Hooks, Tally
from ..streaming.request_queue import Ticket, Turn
from ..streaming.stream import Stream
from ..text.loading import load_front_end
from ..vocoder.vocoding import vocoder_opener
from .alignment import Listener
from .batch import Batch, BatchRun, Utterance, longest
from .rendering import Narrator
from .segments import Line, Script, Text, check_text
from .sentence import Request, Speech
from .stream_batch import StreamBatch
from .submission import Parts


class Model:
    """Streams and batches are begun here in any thread, and wait for their turn when their first chunk is asked for."""

    def __init__(self, bundle: Bundle, provider: str, threads: int | None, hooks: Hooks) -> None:
        """Load the graphs; arguments as for `Synthesizer`.

        Raises:
            BundleError: the bundle does not speak, or its text front end or noise does not load.
            OptionError, BackendError: see `create_backend`.
        """
        manifest = bundle.manifest
        if manifest.vocoder is None or manifest.text == "none":
            raise BundleError(f"The bundle {manifest.model} takes ids only; measure it with tldr-bench, or name another.")
        self.front_end = load_front_end(manifest.text, bundle.root / "text")
        self.backend = create_backend(bundle, provider, threads)
        listener = None if manifest.listener is None else Listener(bundle.root / manifest.listener)
        self.speech = Speech(manifest, vocoder_opener(bundle, manifest.vocoder, self.backend), self.backend, listener)
        self.sample_rate = manifest.vocoder.sample_rate
        self._narrator = Narrator(self.speech, self.front_end.space, self.sample_rate)
        self._hooks = hooks
        self._turn = Turn(self.backend.abort)
        self._open: weakref.WeakSet[Stream | Batch | StreamBatch] = weakref.WeakSet()
        self._registry = threading.RLock()
        self._process = os.getpid()

    def stream(self, text: Text, request: Request, rate: float) -> Stream:
        """One utterance, of which nothing is made yet; an urgent one stops the others now. TextError as for `Script.begin`."""
        tally = Tally(self.backend.provider, self.speech.decoder.cache.bytes_allocated)
        lines = Script(self.front_end, tally, rate).begin(text, request.ticket)
        tally.compute_seconds = tally.stage_seconds["text"]
        if request.ticket.urgent:
            self._cancel([other for other in self._unfinished() if not other.urgent])
        chunks = self._chunks(lines, request, tally)
        stream = Stream(chunks, tally, self.sample_rate, request.ticket, self._hooks.tell_finished)
        with self._registry:
            self._open.add(stream)
        return stream

    def batch(self, texts: Sequence[str], requests: Sequence[Request], ticket: Ticket, rate: float, rows: int,
              exact: bool) -> Batch:
        """Many texts, all read now, each with its request; they share the ticket. TextError names a bad one by its index."""
        utterances = [self._utterance(index, text, request, rate)
                      for index, (text, request) in enumerate(zip(texts, requests, strict=True))]
        made = Batch(self._results(utterances, ticket, rows, exact), len(texts), ticket)
        with self._registry:
            self._open.add(made)
        return made

    def stream_batch(self, rows: int, exact: bool, request: Callable[..., Request]) -> StreamBatch:
        """A batch that streams share; see `Synthesizer.open_stream_batch`."""
        parts = Parts(self.front_end, self.speech, self._narrator, self.backend, self._turn, self._hooks, self.sample_rate)
        made = StreamBatch(parts, rows, exact, request)
        with self._registry:
            self._open.add(made)
        return made

    def stop(self) -> None:
        """Cancel everything that is being made or waits."""
        self._cancel(self._unfinished())

    def close(self) -> None:
        """Cancel everything and give back the graphs; nothing in a fork, whose parent has them."""
        if self._process != os.getpid():
            return
        self.stop()
        with self._turn.hold(Ticket(urgent=True)):
            self.backend.close()
            self.speech.listener = None

    def check_usable(self) -> None:
        """BackendError if it is closed, or was loaded before a fork."""
        if self.backend.closed:
            raise BackendError("This synthesizer is closed; make a new one.")
        if self._process != os.getpid():
            raise BackendError("This synthesizer was made before a fork, and its threads stayed behind: make a new one "
                               "in this process, or start processes with the `spawn` method.")

    def _chunks(self, lines: Iterable[Line], request: Request, tally: Tally) -> Generator[AudioChunk, None, None]:
        """All chunks, the turn held from first to last. It knows no Stream, so that a dropped one is freed at once."""
        with self._turn.hold(request.ticket) as waited:
            tally.waited_seconds += waited
            self.check_usable()
            self.backend.record_into(tally.stage_seconds, self._hooks.tell_stage)
            try:
                yield from self._narrator.chunks(lines, request, tally, self.speech.say)
                if request.ticket.cancelled:
                    tally.stopped("cancel")
            finally:
                self.speech.decoder.cache.clear()

    def _utterance(self, index: int, text: str, request: Request, rate: float) -> Utterance:
        tally = Tally(self.backend.provider, 0)
        try:
            check_text(text)
            lines = list(Script(self.front_end, tally, rate).lines(text))
        except TextError as error:
            raise TextError(f"Text {index}: {error}") from error
        tally.compute_seconds = tally.stage_seconds["text"]
        pieces = [part for line in lines for part in self._narrator.pieces(line, request.voice)]
        return Utterance(index, lines, pieces, request, tally)

    def _results(self, utterances: list[Utterance], ticket: Ticket, rows: int,
                 exact: bool) -> Generator[tuple[int, Audio], None, None]:
        """Finished texts, the turn held from first to last."""
        with self._turn.hold(ticket):
            self.check_usable()
            run = BatchRun(self.speech, self._narrator, self.backend, self.sample_rate, self._hooks)
            capacity = longest(self.speech.decoder, utterances)
            try:
                yield from run.results(utterances, BatchDecoder(self.speech.decoder, rows, exact, capacity))
            finally:
                self.speech.decoder.cache.clear()

    def _unfinished(self) -> list[Stream | Batch | StreamBatch]:
        with self._registry:
            return list(self._open)

    @staticmethod
    def _cancel(streams: Iterable[Stream | Batch | StreamBatch]) -> None:
        for stream in streams:
            stream.cancel()
