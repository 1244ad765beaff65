"""Owner of the loaded graphs: runs one utterance at a time, and releases the graphs at the end."""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import threading
import weakref
from collections.abc import Callable, Generator, Iterable, Sequence

from ..audio import Audio, AudioChunk
from ..backends import create_backend
from ..bundle.reader import Bundle
from ..decoding.batch_decoder import BatchDecoder
from ..errors import BackendError, BundleError, BusyError, TextError
from ..output.processing import OutputProcessor, OutputSettings
from ..stats import Hooks, StatsAccumulator
from ..streaming.request_queue import CancelToken, RequestQueue
from ..streaming.stream import Stream
from ..text.loading import load_front_end
from ..text.normalization.scanner import Locale
from ..text.pronunciation.user_lexicon import Lexicon
from ..vocoder.vocoding import vocoder_opener
from .alignment import AlignmentVerifier
from .batch import Batch, BatchRun, BatchUtterance, longest
from .rendering import UtteranceRenderer
from .segments import Segment, Text, TextSegmenter, check_text
from .sentence import Request, SentenceSynthesizer
from .stream_batch import StreamBatch
from .submission import Parts

EXIT_SECONDS = 5.0
"""Longest wait at the end of the process for an utterance that is being computed."""
_OPEN: weakref.WeakSet[Pipeline] = weakref.WeakSet()


class Pipeline:
    """Begin streams and batches in any thread; they wait in the queue when their first chunk is requested."""

    def __init__(self, bundle: Bundle, provider: str, threads: int | None, hooks: Hooks,
                 lexicon: Lexicon | None = None, locale: Locale = "en-US", output: OutputSettings | None = None,
                 normalize: bool = True) -> None:
        """Load the graphs; arguments as for `Synthesizer`.

        Raises:
            BundleError: the bundle does not speak, or its text front end or noise does not load.
            OptionError, BackendError: see `create_backend`.
        """
        manifest = bundle.manifest
        if manifest.vocoder is None or manifest.text == "none":
            raise BundleError(f"The bundle {manifest.model} takes ids only; measure it with tldr-bench, or name another.")
        self.front_end = load_front_end(manifest.text, bundle.path / "text", lexicon, locale, normalize)
        self.backend = create_backend(bundle, provider, threads)
        listener = None if manifest.listener is None else AlignmentVerifier(bundle.path / manifest.listener)
        self.speech = SentenceSynthesizer(manifest, vocoder_opener(bundle, manifest.vocoder, self.backend), self.backend,
                                          listener)
        rate = manifest.vocoder.sample_rate
        processor = OutputProcessor(output or OutputSettings(), rate)
        self.sample_rate = processor.sample_rate
        self._renderer = UtteranceRenderer(self.speech, self.front_end.space, rate, processor)
        self._hooks = hooks
        self._queue = RequestQueue(self.backend.abort)
        self._open: weakref.WeakSet[Stream | Batch | StreamBatch] = weakref.WeakSet()
        self._registry = threading.RLock()
        self._process = os.getpid()
        self._closing = False
        _OPEN.add(self)

    def stream(self, text: Text, request: Request, rate: float, quiet_seconds: float) -> Stream:
        """Return an utterance that nothing is computed of yet; an urgent one stops the others now.

        Raises:
            TextError: as for `TextSegmenter.begin`.
        """
        tally = StatsAccumulator(self.backend.provider, self.speech.decoder.cache.bytes_allocated)
        lines = TextSegmenter(self.front_end, tally, rate, quiet_seconds).begin(text, request.cancel_token)
        tally.compute_seconds = tally.stage_seconds["text"]
        if request.cancel_token.urgent:
            self._cancel([other for other in self._unfinished() if not other.urgent])
        chunks = self._chunks(lines, request, tally)
        stream = Stream(chunks, tally, self.sample_rate, request.cancel_token, self._hooks.notify_finished)
        with self._registry:
            self._open.add(stream)
        return stream

    def batch(self, texts: Sequence[str], requests: Sequence[Request], cancel_token: CancelToken, rate: float, rows: int,
              exact: bool) -> Batch:
        """Return a batch of texts, all read now, each with its request. Raises TextError that names a bad one by its index."""
        utterances = [self._utterance(index, text, request, rate)
                      for index, (text, request) in enumerate(zip(texts, requests, strict=True))]
        made = Batch(self._results(utterances, cancel_token, rows, exact), len(texts), cancel_token)
        with self._registry:
            self._open.add(made)
        return made

    def stream_batch(self, rows: int, exact: bool, request: Callable[..., Request]) -> StreamBatch:
        """A batch that streams share; see `Synthesizer.open_stream_batch`."""
        parts = Parts(self.front_end, self.speech, self._renderer, self.backend, self._queue, self._hooks, self.sample_rate)
        made = StreamBatch(parts, rows, exact, request)
        with self._registry:
            self._open.add(made)
        return made

    def stop(self) -> None:
        """Cancel everything that is being made or waits."""
        self._cancel(self._unfinished())

    def close(self, timeout: float = math.inf) -> None:
        """Cancel everything and release the graphs, or have the utterance that this is called from do so at its end; nothing in
        a fork, whose parent has them.

        Raises:
            Cancelled: `timeout` seconds have passed, and an utterance still runs.
        """
        if self._process != os.getpid():
            return
        self._closing = True
        self.stop()
        # From inside an utterance (a hook, a signal handler, the text) it cannot wait: the utterance closes at its end.
        with contextlib.suppress(BusyError), self._queue.acquire(CancelToken(urgent=True), timeout):
            self._release()

    def _release(self) -> None:
        self.backend.close()
        self.speech.listener = None

    def check_usable(self) -> None:
        """BackendError if it is closed, or was loaded before a fork."""
        if self.backend.closed or self._closing:
            raise BackendError("This synthesizer is closed; make a new one.")
        if self._process != os.getpid():
            raise BackendError("This synthesizer was made before a fork, and its threads stayed behind: make a new one "
                               "in this process, or start processes with the `spawn` method.")

    def _chunks(self, lines: Iterable[Segment], request: Request, tally: StatsAccumulator) -> Generator[AudioChunk, None, None]:
        """Yield all chunks while holding the queue. It refers to no Stream, which is therefore freed once dropped."""
        with self._queue.acquire(request.cancel_token) as waited:
            tally.waited_seconds += waited
            self.check_usable()
            self.backend.record_into(tally.stage_seconds, self._hooks.notify_stage)
            try:
                yield from self._renderer.chunks(lines, request, tally, self.speech.synthesize)
                if request.cancel_token.cancelled:
                    tally.stopped("cancel")
            finally:
                self._end_utterance()

    def _utterance(self, index: int, text: str, request: Request, rate: float) -> BatchUtterance:
        tally = StatsAccumulator(self.backend.provider, 0)
        try:
            check_text(text)
            lines = list(TextSegmenter(self.front_end, tally, rate).lines(text))
        except TextError as error:
            raise TextError(f"Text {index}: {error}") from error
        tally.compute_seconds = tally.stage_seconds["text"]
        pieces = [ids for line in lines for _, ids in self._renderer.pieces(line, request.voice)]
        return BatchUtterance(index, lines, pieces, request, tally)

    def _results(self, utterances: list[BatchUtterance], cancel_token: CancelToken, rows: int,
                 exact: bool) -> Generator[tuple[int, Audio], None, None]:
        """Yield finished texts, the queue held from first to last."""
        with self._queue.acquire(cancel_token):
            self.check_usable()
            run = BatchRun(self.speech, self._renderer, self.backend, self.sample_rate, self._hooks)
            capacity = longest(self.speech.decoder, utterances)
            try:
                yield from run.results(utterances, BatchDecoder(self.speech.decoder, rows, exact, capacity))
            finally:
                self._end_utterance()

    def _end_utterance(self) -> None:
        self.speech.decoder.cache.clear()
        if self._closing:
            self._release()

    def _unfinished(self) -> list[Stream | Batch | StreamBatch]:
        with self._registry:
            return list(self._open)

    @staticmethod
    def _cancel(streams: Iterable[Stream | Batch | StreamBatch]) -> None:
        for stream in streams:
            stream.cancel()


@atexit.register
def _close_all() -> None:
    """Close what a program leaves open when it ends.

    Python ends daemon threads by unwinding them, and a thread that is inside a graph then aborts the process.
    """
    for pipeline in list(_OPEN):
        with contextlib.suppress(Exception):
            pipeline.close(EXIT_SECONDS)
