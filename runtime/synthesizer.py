"""The toolkit's front door: a bundle, loaded once, that turns text into speech."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
import weakref
from collections.abc import Generator, Iterable, Sequence
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from runtime.audio import Audio, AudioChunk
from runtime.backends import create_backend
from runtime.batch import Batch, BatchRun, Utterance, longest
from runtime.batch_decoding import BatchDecoder, check_batch
from runtime.bundle import Bundle
from runtime.errors import BackendError, BundleError, OptionError, TextError, VoiceError
from runtime.hooks import Hooks
from runtime.memory import keep_few_heaps
from runtime.narration import Narrator
from runtime.reference import clone_voice
from runtime.sampling import SamplingOptions, uniform_source
from runtime.script import Line, Script, Text, check_text
from runtime.speech import Request, Speech
from runtime.stats import Tally
from runtime.stream import Stream
from runtime.tempo import check_rate
from runtime.text.frontend import TextFrontEnd
from runtime.text.qwen import QwenFrontEnd
from runtime.turn import Ticket, Turn
from runtime.vocoding import vocoder_opener
from runtime.voice import BROKEN_FILE, Voice

WARM_UP = "This sentence is long enough to bring every graph to its working size."
_log = logging.getLogger(__name__)


class Synthesizer:
    """Text to speech with one bundle. Load it once and keep it.

    Safe to use from many threads and tasks: one utterance is made at a time, the others queue in the order in which their
    first chunk was asked for. `interrupt=True` stops those that are being made or have been asked for, and goes first. It
    does not survive a fork: make one in each process.
    """

    def __init__(self, bundle: Path | str | None = None, *, provider: str = "auto", threads: int | None = None,
                 voice: str | None = None, warm_up: bool = False, hooks: Hooks | None = None) -> None:
        """Open and check a bundle and load its graphs.

        Args:
            bundle: its directory; None for the embedded voice.
            provider: auto, cpu, cuda, tensorrt, tensorrt-rtx or tensorrt-onnxruntime; `auto` takes the best that works.
            threads: CPU threads; None lets the inference library choose.
            voice: the voice to use where a call names none; None for the bundle's default.
            warm_up: speak one sentence to nobody now, so that the first real one is as fast as the others.
            hooks: functions to call with times of stages and figures of utterances.

        Raises:
            BundleError, VoiceError, OptionError, BackendError: each says what to do.
        """
        begin = time.perf_counter()
        keep_few_heaps()
        self.bundle = Bundle.open(bundle)
        manifest = self.bundle.manifest
        if manifest.vocoder is None or manifest.text == "none":
            raise BundleError(f"The bundle {manifest.model} takes ids only; measure it with tldr-bench, or name another.")
        self._voices: dict[str, Voice] = {}
        self._voice = None if voice is None and not self.bundle.voices else self.bundle.voice(voice).name
        self._text = load_text(self.bundle)
        self._backend = create_backend(self.bundle, provider, threads)
        self._speech = Speech(manifest, vocoder_opener(self.bundle, manifest.vocoder, self._backend), self._backend)
        self.sample_rate = manifest.vocoder.sample_rate
        """Samples a second of everything this synthesizer makes."""
        self._narrator = Narrator(self._speech, self._text.space, self.sample_rate)
        self._turn = Turn(self._backend.abort)
        self._streams: weakref.WeakSet[Stream | Batch] = weakref.WeakSet()
        self._registry = threading.RLock()
        self._hooks = hooks or Hooks()
        self._process = os.getpid()
        _log.info("Loaded %s (k = %d, %s) on %s in %.2f s", manifest.model, manifest.sizes.patch, manifest.precision,
                  self.provider, time.perf_counter() - begin)
        if warm_up:
            self.warm_up()

    @property
    def voices(self) -> list[str]:
        """Names to give as `voice`."""
        return self.bundle.voices

    @property
    def provider(self) -> str:
        """The execution provider that really runs the graphs."""
        return self._backend.provider

    def synthesize(self, text: Text, *, voice: str | Voice | None = None, seed: int = 0, temperature: float | None = None,
                   top_k: int | None = None, top_p: float | None = None, rate: float = 1.0,
                   interrupt: bool = False) -> Audio:
        """Speak `text` and return all of it.

        Collects a stream that decodes each sentence wholly before its first sample, so that a sentence whose model
        misses its end is tried again (`stats.retries`) with other random numbers. Sentences that need no second try
        have the same samples as `stream` gives. Arguments and errors are those of `stream`; Cancelled if another thread
        stops it.
        """
        return self._begin(text, True, voice, seed, temperature, top_k, top_p, rate, interrupt).collect()

    async def synthesize_async(self, text: Text, *, voice: str | Voice | None = None, seed: int = 0,
                               temperature: float | None = None, top_k: int | None = None, top_p: float | None = None,
                               rate: float = 1.0, interrupt: bool = False) -> Audio:
        """`synthesize` in a coroutine: the event loop goes on meanwhile, and a cancelled task stops it within one patch."""
        return await self._begin(text, True, voice, seed, temperature, top_k, top_p, rate, interrupt).collect_async()

    def stream(self, text: Text, *, voice: str | Voice | None = None, seed: int = 0, temperature: float | None = None,
               top_k: int | None = None, top_p: float | None = None, rate: float = 1.0, interrupt: bool = False) -> Stream:
        """Speak `text` chunk by chunk, the first as soon as its patches are there; chunks grow from 0.2 s to 1.3 s.

        Args:
            text: at most `MAX_CHARACTERS`, spoken sentence by sentence; or SSML (a `speak` element); or an iterator of
                the words, tokens or characters of a text that is still being written, spoken clause by clause; or, for
                `async for`, an asynchronous iterator of them.
            voice: one of `voices`, or what `clone_voice` gave; None for the synthesizer's.
            seed: equal bundle, text, voice, options and seed give equal samples.
            temperature: 0 (greedy) to 10; None for the bundle's default, as below.
            top_k: 1 (greedy) to 64.
            top_p: above 0, at most 1.
            rate: 0.5 (slow) to 2 (fast), at the same pitch.
            interrupt: for warnings. Stop every utterance that is not itself such a one, at once, and speak before all
                that come later.

        Raises:
            TextError: empty, nothing speakable, too long, SSML beyond the core that is read.
            VoiceError: no such voice.
            OptionError: a value out of its range.
            BackendError: this process is a fork of the one that made the synthesizer, or the synthesizer is closed.
        """
        return self._begin(text, False, voice, seed, temperature, top_k, top_p, rate, interrupt)

    def synthesize_many(self, texts: Sequence[str], *, voices: str | Voice | Sequence[str | Voice | None] | None = None,
                        seeds: int | Sequence[int] = 0, temperature: float | None = None, top_k: int | None = None,
                        top_p: float | None = None, rate: float = 1.0, batch: int = 8, exact: bool = True) -> Batch:
        """Speak many texts, whose sentences are decoded `batch` at a time, and give each as it is finished.

            for index, audio in tts.synthesize_many(texts): ...
            audios = tts.synthesize_many(texts).collect()        # in the order of the texts

        A sentence that ends makes room for the next one, in the order of the texts, while the others go on. Each text gets
        what `synthesize` gives it alone with the same voice and seed (see `BatchDecoder` for `exact`). Stats are a text's
        own; time that rows spent together counts in equal parts, and `ttfa_seconds` is when the text was there, as seen from
        the first one asked for.

        Args:
            texts: plain or SSML, as for `stream`; all are read before the first is spoken, so that a bad one costs nothing.
            voices: one for all, or one for each text.
            seeds: one for all, or one for each text.
            temperature, top_k, top_p, rate: of all texts, as for `stream`.
            batch: rows, 1 to 256. The KV cache has as many rows as there are sentences, at most this many, each as long
                as the longest of them may get.
            exact: False runs all graphs on all rows at once, even those that then round in another way.

        Raises:
            TextError, VoiceError, OptionError, BackendError: as for `stream`; a bad text is named by its index.
        """
        self._check_usable()
        if isinstance(texts, str) or not isinstance(texts, Sequence):
            raise OptionError("texts must be a list of texts; one text is for synthesize().")
        check_batch(batch)
        check_rate(rate)
        sampling = SamplingOptions.chosen(self.bundle.manifest.sampling, temperature, top_k, top_p)
        return self._begin_batch(texts, voices, seeds, sampling, rate, batch, exact)

    def stop(self) -> None:
        """Cancel everything that is being spoken or waits, urgent or not; from any thread."""
        for stream in self._open_streams():
            stream.cancel()

    def warm_up(self) -> float:
        """Speak one sentence to nobody; gives the seconds that took."""
        begin = time.perf_counter()
        for _ in self.stream(WARM_UP):
            pass
        return time.perf_counter() - begin

    def clone_voice(self, reference: Path | str, transcript: str | None = None, *, instruction: str | None = None,
                    name: str = "cloned") -> Voice:
        """A voice from a recording, to give as `voice`; it can be saved.

        Args:
            reference: a sound file of 0.5 to 30 seconds of one speaker, at least 16,000 samples a second.
            transcript: what it says: speech goes on from it. Without one the text may be in another language.
            instruction: how to speak ("Please speak as fast as you can."), in place of a transcript.
            name: what the voice is called.

        Raises:
            VoiceError: this bundle cannot clone or takes no instructions, or the recording cannot be used.
            TextError: the transcript holds nothing that can be said.
            BackendError: an encoder, or a package that it needs, is missing or fails.
        """
        return clone_voice(self.bundle, self._text, Path(reference), transcript, instruction, name)

    def close(self) -> None:
        """Cancel all streams and give back the graphs; what follows is refused. It may be called twice."""
        if self._process != os.getpid():
            return
        self.stop()
        with self._turn.hold(Ticket(urgent=True)):
            self._backend.close()

    def __enter__(self) -> Synthesizer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise BackendError("A synthesizer cannot be sent to another process; make one there, from the same bundle.")

    def _begin(self, text: Text, retry: bool, voice: str | Voice | None, seed: int, temperature: float | None,
               top_k: int | None, top_p: float | None, rate: float, interrupt: bool) -> Stream:
        self._check_usable()
        sampling = SamplingOptions.chosen(self.bundle.manifest.sampling, temperature, top_k, top_p)
        check_text(text)
        check_rate(rate)
        uniform_source(seed, 0, 0)  # refuses a bad seed here, not at the first chunk
        request = Request(self._chosen(voice), sampling, seed, retry, Ticket(interrupt))
        tally = Tally(self.provider, self._speech.decoder.cache.bytes_allocated)
        script = Script(self._text, tally, rate)
        lines: Iterable[Line]
        if isinstance(text, str):
            whole = script.lines(text)
            lines = chain([next(whole)], whole)  # bad text is refused here, too
        else:
            lines = script.lines_of_pieces(text, _running_loop(), request.ticket)
        tally.compute_seconds = tally.stage_seconds["text"]
        if interrupt:
            for other in self._open_streams():
                if not other.urgent:
                    other.cancel()
        stream = Stream(self._chunks(lines, request, tally), tally, self.sample_rate, request.ticket,
                        self._hooks.tell_finished)
        with self._registry:
            self._streams.add(stream)
        return stream

    def _chunks(self, lines: Iterable[Line], request: Request, tally: Tally) -> Generator[AudioChunk, None, None]:
        """All chunks, the turn held from first to last. It knows no Stream, so that a dropped one is freed at once."""
        with self._turn.hold(request.ticket) as waited:
            tally.waited_seconds += waited
            self._check_usable()
            self._backend.record_into(tally.stage_seconds, self._hooks.tell_stage)
            try:
                yield from self._narrator.chunks(lines, request, tally, self._speech.say)
                if request.ticket.cancelled:
                    tally.stopped("cancel")
            finally:
                self._speech.decoder.cache.clear()

    def _begin_batch(self, texts: Sequence[str], voices: str | Voice | Sequence[str | Voice | None] | None,
                     seeds: int | Sequence[int], sampling: SamplingOptions, rate: float, batch: int, exact: bool) -> Batch:
        ticket, utterances = Ticket(), []
        for index, (voice, seed) in enumerate(zip(_each(voices, len(texts), "voices"), _each(seeds, len(texts), "seeds"),
                                                  strict=True)):
            uniform_source(seed, 0, 0)
            request, tally = Request(self._chosen(voice), sampling, seed, True, ticket), Tally(self.provider, 0)
            try:
                check_text(texts[index])
                lines = list(Script(self._text, tally, rate).lines(texts[index]))
            except TextError as error:
                raise TextError(f"Text {index}: {error}") from error
            tally.compute_seconds = tally.stage_seconds["text"]
            pieces = [part for line in lines for part in self._narrator.pieces(line, request.voice)]
            utterances.append(Utterance(index, lines, pieces, request, tally))
        made = Batch(self._batch_results(utterances, ticket, batch, exact), len(texts), ticket)
        with self._registry:
            self._streams.add(made)
        return made

    def _batch_results(self, utterances: list[Utterance], ticket: Ticket, batch: int,
                       exact: bool) -> Generator[tuple[int, Audio], None, None]:
        """Finished texts, the turn held from first to last."""
        with self._turn.hold(ticket):
            self._check_usable()
            run = BatchRun(self._speech, self._narrator, self._backend, self.sample_rate, self._hooks)
            capacity = longest(self._speech.decoder, utterances)
            try:
                yield from run.results(utterances, BatchDecoder(self._speech.decoder, batch, exact, capacity))
            finally:
                self._speech.decoder.cache.clear()

    def _open_streams(self) -> list[Stream | Batch]:
        with self._registry:
            return list(self._streams)

    def _chosen(self, voice: str | Voice | None) -> Voice:
        if isinstance(voice, Voice):
            voice.check(self.bundle.manifest)
            return voice
        name = self._voice if voice is None else voice
        if name is None:
            raise VoiceError(f"The bundle {self.bundle.manifest.model} has no voice of its own: give a recording to speak like "
                             "(--reference, or clone_voice).")
        if name not in self._voices:
            self._voices[name] = self.bundle.voice(name)
        return self._voices[name]

    def _check_usable(self) -> None:
        if self._backend.closed:
            raise BackendError("This synthesizer is closed; make a new one.")
        if self._process != os.getpid():
            raise BackendError("This synthesizer was made before a fork, and its threads stayed behind: make a new one "
                               "in this process, or start processes with the `spawn` method.")


def load_text(bundle: Bundle) -> TextFrontEnd | QwenFrontEnd:
    """The bundle's text front end; BundleError if its files are not what their names say."""
    if bundle.manifest.text == "qwen2":
        return QwenFrontEnd.load(bundle.root / "text")
    try:
        return TextFrontEnd.load(bundle.root / "text")
    except BROKEN_FILE as error:
        raise BundleError(f"The bundle's text front end does not load ({error}); export the bundle again.") from error


def _each(values: object, texts: int, name: str) -> list[Any]:
    """One value a text, from one for all or one for each."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        return [values] * texts
    if len(values) != texts:
        raise OptionError(f"There are {texts} texts and {len(values)} {name}; give one for all, or one for each.")
    return list(values)


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
