"""`Synthesizer`: a bundle, loaded once, that turns text into speech."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from .audio import Audio
from .bundle.reader import Bundle
from .bundle.voice import Voice, neutral_voice
from .bundle.voices import Voices
from .cloning.reference import clone_voice
from .decoding.batch_decoder import check_batch
from .errors import BackendError, BundleError, OptionError
from .options import OptionOverrides, SynthesisOptions, merge_options
from .output.processing import OutputSettings
from .stats import Hooks
from .streaming.request_queue import CancelToken
from .streaming.stream import Stream
from .synthesis.batch import Batch
from .synthesis.pipeline import Pipeline
from .synthesis.segments import Text
from .synthesis.sentence import Request
from .synthesis.stream_batch import StreamBatch
from .text.explanation import Explanation, explain
from .text.normalization.scanner import LOCALES, Locale
from .text.pronunciation.user_lexicon import Lexicon

if TYPE_CHECKING:
    from typing_extensions import Unpack

WARM_UP = "This sentence is long enough to bring every graph to its working size."
_log = logging.getLogger(__name__)


class Synthesizer:
    """Text to speech with one bundle. Load it once and keep it.

    Safe to use from many threads and tasks: one utterance is made at a time, the others queue in the order in which their
    first chunk was asked for. `interrupt=True` stops those that are being made or have been asked for, and goes first. It
    does not survive a fork: make one in each process.
    """

    def __init__(self, bundle: Path | str | None = None, *, provider: str = "auto", threads: int | None = None,
                 voice: str | None = None, warm_up: bool = False, hooks: Hooks | None = None,
                 flow_steps: int | None = None, lexicon: Lexicon | None = None, locale: Locale = "en-US",
                 output: OutputSettings | None = None, normalize: bool = True) -> None:
        """Open and check a bundle and load its graphs.

        Args:
            bundle: its directory; None for the embedded voice.
            provider: auto, cpu, cuda, tensorrt, tensorrt-rtx or tensorrt-onnxruntime; `auto` takes the best that works.
            threads: CPU threads; None lets the inference library choose.
            voice: the voice to use where a call names none; None for the bundle's default.
            warm_up: speak one sentence silently now, so that the first real one is as fast as the others.
            hooks: functions to call with times of stages and figures of utterances.
            flow_steps: CosyVoice3 bundles: steps of the flow, 1 to 1000; time and memory of the vocoder grow with them.
            lexicon: your own words: a mapping of word to respelling ("jif"), IPA ("/dʒɪf/") or ARPAbet ("JH IH1 F"), or a
                file of `word<TAB>pronunciation` lines.
            locale: "en-US" or "en-GB": the order of day and month in dates.
            normalize: CosyVoice3 bundles: False passes text to the model's tokenizer unchanged. By default English is spelled
                out ("$5" to "five dollars"), other languages are unchanged.
            output: sample rate, gain and trailing silence that a device needs; None for the bundle's own samples.

        Raises:
            BundleError, VoiceError, OptionError, BackendError: each says what to do.
            TextError: the lexicon cannot be read.
        """
        if locale not in LOCALES:
            raise OptionError(f"There is no locale {locale!r}; use {' or '.join(LOCALES)}.")
        begin = time.perf_counter()
        self.bundle = Bundle.open(bundle).with_flow_steps(flow_steps)
        self._voices = Voices(self.bundle, voice)
        self._pipeline = Pipeline(self.bundle, provider, threads, hooks or Hooks(), lexicon, locale, output, normalize)
        try:
            self.bundle.check_unchanged()
        except BundleError:
            self._pipeline.close()
            raise
        self.sample_rate = self._pipeline.sample_rate
        """Samples per second of everything this synthesizer makes."""
        manifest = self.bundle.manifest
        _log.info("Loaded %s (k = %d, %s) on %s in %.2f s", manifest.model, manifest.sizes.patch, manifest.precision,
                  self.provider, time.perf_counter() - begin)
        if warm_up:
            self.warm_up()

    def explain(self, text: str) -> Explanation:
        """Return how `text` is read: span, class, words and phonemes of each word; `print` it for a table.

        Raises:
            TextError: as for `stream`.
        """
        return explain(self._pipeline.front_end, text)

    @property
    def voices(self) -> list[str]:
        """Names to give as `voice`."""
        return self.bundle.voices

    @property
    def fault(self) -> str | None:
        """The error after which the device works no more in this process, for supervisors; None while it works."""
        return self._pipeline.backend.broken

    @property
    def provider(self) -> str:
        """The execution provider that really runs the graphs."""
        return self._pipeline.backend.provider

    def synthesize(self, text: Text, options: SynthesisOptions | None = None, /,
                   **overrides: Unpack[OptionOverrides]) -> Audio:
        """Speak `text` and return all of it.

        With `verify` (the default) each sentence is decoded before its first sample, and decoded again with other random
        numbers where it misses its end, leaves out words or repeats some (`stats.retries`). Other sentences, and all of them
        with `verify=False`, have the samples that `stream` gives.

        Args:
            text: as for `stream`.
            options: how to speak it; keywords replace single options.
            overrides: the fields of `SynthesisOptions`.

        Raises:
            TextError, VoiceError, OptionError, BackendError: as for `stream`.
            Cancelled: another thread stopped it.
        """
        return self._begin(text, merge_options(options, **overrides), verify=True).collect()

    async def synthesize_async(self, text: Text, options: SynthesisOptions | None = None, /,
                               **overrides: Unpack[OptionOverrides]) -> Audio:
        """`synthesize` in a coroutine: the event loop continues meanwhile, and a cancelled task stops it within one patch."""
        return await self._begin(text, merge_options(options, **overrides), verify=True).collect_async()

    def stream(self, text: Text, options: SynthesisOptions | None = None, /, **overrides: Unpack[OptionOverrides]) -> Stream:
        """Speak `text` chunk by chunk, the first as soon as its patches are there; chunks grow from 0.2 s to 1.3 s.

        Args:
            text: at most `MAX_CHARACTERS`, spoken sentence by sentence; or SSML (a `speak` element); or an iterator of
                the words, tokens or characters of a text that is still being written, spoken clause by clause; or, for
                `async for`, an asynchronous iterator of them.
            options: how to speak it; keywords replace single options. `verify` has no effect: what was played cannot be
                decoded again.
            overrides: the fields of `SynthesisOptions`.

        Raises:
            TextError: empty, nothing speakable, too long, SSML beyond the core that is read.
            VoiceError: no such voice.
            OptionError: a value out of its range.
            BackendError: this process is a fork of the one that made the synthesizer, or the synthesizer is closed.
        """
        return self._begin(text, merge_options(options, **overrides), verify=False)

    def synthesize_many(self, texts: Sequence[str], options: SynthesisOptions | None = None, /, *,
                        voices: str | Voice | Sequence[str | Voice | None] | None = None,
                        seeds: int | Sequence[int] | None = None,
                        batch: int = 8, exact: bool = True, **overrides: Unpack[OptionOverrides]) -> Batch:
        """Speak many texts, whose sentences are decoded `batch` at a time, and yield each as it is finished.

            for index, audio in tts.synthesize_many(texts): ...
            audios = tts.synthesize_many(texts).collect()        # in the order of the texts

        A sentence that ends makes room for the next one, in the order of the texts, while the others continue. Each text gets
        what `synthesize` gives it alone with the same voice and seed (see `BatchDecoder` for `exact`). Stats are a text's
        own; time that rows spent together counts in equal parts, and `ttfa_seconds` is when the text was there, as seen from
        the first one asked for.

        Args:
            texts: plain or SSML, as for `stream`; all are read before the first is spoken, so that a bad one costs nothing.
            options: of all texts, as for `stream`; keywords replace single options.
            voices, seeds: in place of `voice` and `seed`: one for all, or one for each text.
            batch: rows, 1 to 256. The KV cache has as many rows as there are sentences, at most this many, each as long
                as the longest of them may get.
            exact: False runs all graphs on all rows at once, even those that then round in another way.
            overrides: the fields of `SynthesisOptions`.

        Raises:
            TextError, VoiceError, OptionError, BackendError: as for `stream`; a bad text is named by its index.
        """
        self._pipeline.check_usable()
        if isinstance(texts, str) or not isinstance(texts, Sequence):
            raise OptionError("texts must be a list of texts; one text is for synthesize().")
        check_batch(batch)
        common = merge_options(options, **overrides)
        token = CancelToken(common.interrupt)
        chosen = zip(_each(common.voice if voices is None else voices, len(texts), "voices"),
                     _each(common.seed if seeds is None else seeds, len(texts), "seeds"), strict=True)
        requests = [self._request(replace(common, voice=voice, seed=seed), common.verify, token) for voice, seed in chosen]
        return self._pipeline.batch(texts, requests, token, common.rate, batch, exact)

    def open_stream_batch(self, rows: int = 8, *, exact: bool = True) -> StreamBatch:
        """Open a batch for streams of many callers, as a server has them: up to `rows` are decoded together.

        A slow consumer delays no other, as chunks are passed to a callback. Other calls of this synthesizer wait while
        anything is being spoken there; `stop`, `close` and `interrupt=True` cancel what was submitted.

        Args:
            rows: 1 to 256; each has a KV cache of its own in memory.
            exact: as for `synthesize_many`.

        Raises:
            OptionError: rows out of range.
            BackendError: the KV cache is on a device, the synthesizer is closed, or this process is a fork.
        """
        self._pipeline.check_usable()

        def request(token: CancelToken, options: SynthesisOptions) -> Request:
            self._pipeline.check_usable()
            return self._request(options, False, token)

        return self._pipeline.stream_batch(rows, exact, request)

    def stop(self) -> None:
        """Cancel everything that is being spoken or waits, urgent or not; from any thread."""
        self._pipeline.stop()

    def warm_up(self) -> float:
        """Speak one sentence silently; returns the seconds that took."""
        begin = time.perf_counter()
        voice = None if self._voices.has_default else neutral_voice(self.bundle.manifest)
        for _ in self.stream(WARM_UP, voice=voice):
            pass
        return time.perf_counter() - begin

    def clone_voice(self, reference: Path | str, transcript: str | None = None, *, instruction: str | None = None,
                    name: str = "cloned") -> Voice:
        """A voice from a recording, to give as `voice`; it can be saved.

        Args:
            reference: a sound file of 0.5 to 30 seconds of one speaker, at least 16,000 samples per second.
            transcript: its words: speech continues after it. Without one the text may be in another language.
            instruction: how to speak ("Please speak as fast as you can."), in place of a transcript.
            name: what the voice is called.

        Raises:
            VoiceError: this bundle cannot clone or takes no instructions, or the recording cannot be used.
            TextError: the transcript holds nothing that can be said.
            BackendError: an encoder, or a package that it needs, is missing or fails.
        """
        return clone_voice(self.bundle, self._pipeline.front_end, Path(reference), transcript, instruction, name)

    def close(self) -> None:
        """Cancel all streams and release the graphs; later calls are refused. It may be called twice."""
        self._pipeline.close()

    def __enter__(self) -> Synthesizer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise BackendError("A synthesizer cannot be sent to another process; make one there, from the same bundle.")

    def _begin(self, text: Text, options: SynthesisOptions, *, verify: bool) -> Stream:
        self._pipeline.check_usable()
        request = self._request(options, verify and options.verify, CancelToken(options.interrupt))
        return self._pipeline.stream(text, request, options.rate, options.quiet_seconds)

    def _request(self, options: SynthesisOptions, verify: bool, token: CancelToken) -> Request:
        sampling = options.sampling(self.bundle.manifest.sampling)
        return Request(self._voices.chosen(options.voice), sampling, options.seed, verify, options.words, token)


def _each(values: object, texts: int, name: str) -> list[Any]:
    """Return one value per text, from one for all or one for each."""
    if isinstance(values, str) or not isinstance(values, Sequence):
        return [values] * texts
    if len(values) != texts:
        raise OptionError(f"There are {texts} texts and {len(values)} {name}; give one for all, or one for each.")
    return list(values)
