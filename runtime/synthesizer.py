"""The toolkit's front door: a bundle, loaded once, that turns text into speech."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from types import TracebackType

import numpy as np

from runtime.audio import Audio, AudioChunk
from runtime.backends import create_backend
from runtime.bundle import Bundle
from runtime.errors import BackendError, BundleError, TextError, VoiceError
from runtime.reference import clone_voice
from runtime.sampling import SamplingOptions, uniform_source
from runtime.speech import Request, Speech
from runtime.stats import Tally, Timer
from runtime.stream import Stream, Turn
from runtime.text.frontend import TextFrontEnd
from runtime.text.qwen import QwenFrontEnd
from runtime.vocoding import vocoder_opener
from runtime.voice import BROKEN_FILE, Voice

MAX_CHARACTERS = 100_000
"""Longest text of one call: about two hours of speech."""
PAUSE_SECONDS = 0.15
"""Silence between two sentences, on top of what the voice itself leaves."""


class Synthesizer:
    """Text to speech with one bundle. Load it once and keep it.

    Safe to use from many threads: one utterance is made at a time, the others queue. It does not survive a fork: make
    one in each process.
    """

    def __init__(self, bundle: Path | str | None = None, *, provider: str = "auto", threads: int | None = None,
                 voice: str | None = None) -> None:
        """Open and check a bundle and load its graphs.

        Args:
            bundle: its directory; None for the embedded voice.
            provider: auto, cpu, cuda, tensorrt or tensorrt-rtx; `auto` takes the best that works.
            threads: CPU threads; None lets the inference library choose.
            voice: the voice to use where a call names none; None for the bundle's default.

        Raises:
            BundleError, VoiceError, OptionError, BackendError: each says what to do.
        """
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
        self._turn = Turn()
        self._streams: weakref.WeakSet[Stream] = weakref.WeakSet()
        self._process = os.getpid()

    @property
    def voices(self) -> list[str]:
        """Names to give as `voice`."""
        return self.bundle.voices

    @property
    def provider(self) -> str:
        """The execution provider that really runs the graphs."""
        return self._backend.provider

    def synthesize(self, text: str, *, voice: str | Voice | None = None, seed: int = 0, temperature: float | None = None,
                   top_k: int | None = None, top_p: float | None = None) -> Audio:
        """Speak `text` and return all of it.

        Collects a stream that decodes each sentence wholly before its first sample, so that a sentence whose model
        misses its end is tried again (`stats.retries`) with other random numbers. Sentences that need no second try
        have the same samples as `stream` gives. Arguments and errors are those of `stream`.
        """
        sampling = SamplingOptions.chosen(self.bundle.manifest.sampling, temperature, top_k, top_p)
        return self._stream(text, voice, seed, sampling, retry=True).collect()

    def stream(self, text: str, *, voice: str | Voice | None = None, seed: int = 0, temperature: float | None = None,
               top_k: int | None = None, top_p: float | None = None) -> Stream:
        """Speak `text` chunk by chunk, the first as soon as its patches are there.

        Args:
            text: at most `MAX_CHARACTERS`; spoken sentence by sentence.
            voice: one of `voices`, or what `clone_voice` gave; None for the synthesizer's.
            seed: equal bundle, text, voice, options and seed give equal samples.
            temperature: 0 (greedy) to 10; None for the bundle's default, as below.
            top_k: 1 (greedy) to 64.
            top_p: above 0, at most 1.

        Raises:
            TextError: empty, nothing speakable, too long.
            VoiceError: no such voice.
            OptionError: a value out of its range.
            BackendError: this process is a fork of the one that made the synthesizer, or the synthesizer is closed.
        """
        sampling = SamplingOptions.chosen(self.bundle.manifest.sampling, temperature, top_k, top_p)
        return self._stream(text, voice, seed, sampling, retry=False)

    def clone_voice(self, reference: Path | str, transcript: str | None = None, *, instruction: str | None = None,
                    name: str = "cloned") -> Voice:
        """A voice from a recording, to give as `voice`; it can be saved.

        Args:
            reference: a sound file of 0.5 to 30 seconds of one speaker, at least 16,000 samples a second.
            transcript: what it says: speech goes on from it. Without one the text may be in another language.
            instruction: how to speak ("Please speak as fast as you can."), in place of a transcript.
            name: what the voice is called.

        Raises:
            VoiceError: this bundle cannot clone, or the recording cannot be used.
            BackendError: an encoder, or a package that it needs, is missing or fails.
        """
        if not isinstance(self._text, QwenFrontEnd):
            model, voices = self.bundle.manifest.model, ", ".join(self.voices)
            raise VoiceError(f"The bundle {model} cannot clone voices; choose one of {voices}.")
        return clone_voice(self.bundle, self._text, Path(reference), transcript, instruction, name)

    def close(self) -> None:
        """Cancel all streams and give back the graphs; what follows is refused. It may be called twice."""
        if self._process != os.getpid():
            return
        for stream in list(self._streams):
            stream.cancel()
        with self._turn.hold(threading.Event()):
            self._backend.close()

    def __enter__(self) -> Synthesizer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _stream(self, text: str, voice: str | Voice | None, seed: int, sampling: SamplingOptions, retry: bool) -> Stream:
        self._check_usable()
        check_text(text)
        uniform_source(seed, 0, 0)  # refuses a bad seed here, not at the first chunk
        request = Request(self._chosen(voice), sampling, seed, retry)
        tally = Tally(self.provider, self._speech.decoder.cache.bytes_allocated)
        sentences = self._speakable(text, tally)
        first = next(sentences, None)
        if first is None:
            raise TextError("The text holds nothing that can be spoken; give it at least one word or number.")
        tally.compute_seconds = tally.stage_seconds["text"]
        chunks = self._chunks(chain([first], sentences), request, tally)
        stream = Stream(chunks, tally, self.sample_rate, request.cancelled)
        self._streams.add(stream)
        return stream

    def _chunks(self, sentences: Iterable[tuple[str, list[int]]], request: Request,
                tally: Tally) -> Generator[AudioChunk, None, None]:
        """All chunks, the turn held from first to last. It knows no Stream, so that a dropped one is freed at once."""
        silence = np.zeros(round(PAUSE_SECONDS * self.sample_rate), np.float32)
        room, piece = self._speech.decoder.room(request.voice), 0
        with self._turn.hold(request.cancelled) as waited:
            tally.waited_seconds += waited
            self._check_usable()
            self._backend.record_into(tally.stage_seconds)
            for index, (text, ids) in enumerate(sentences):
                if request.cancelled.is_set():
                    tally.stopped("cancel")
                    return
                if index:
                    yield AudioChunk(silence, self.sample_rate, index - 1, "")
                tally.sentences += 1
                for part in split_ids(ids, room, self._text.space):
                    for samples in self._speech.say(part, piece, request, tally):
                        if len(samples):
                            yield AudioChunk(samples, self.sample_rate, index, text)
                            self._turn.passed_on()
                    piece += 1

    def _speakable(self, text: str, tally: Tally) -> Iterator[tuple[str, list[int]]]:
        """Sentences that have ids, with them, worked out as they are needed."""
        with Timer(tally.stage_seconds, "text"):
            sentences = self._text.sentences(text)
        for sentence in sentences:
            with Timer(tally.stage_seconds, "text"):
                ids = self._text.ids(sentence)
            if ids:
                yield sentence, ids

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


def check_text(text: str) -> None:
    """TextError unless `text` is a string of 1 to `MAX_CHARACTERS` characters, not all of them white space."""
    if not isinstance(text, str):
        raise TextError(f"The text must be a string, not {type(text).__name__}.")
    if len(text) > MAX_CHARACTERS:
        raise TextError(f"The text has {len(text):,} characters, at most {MAX_CHARACTERS:,} fit one call; split it.")
    if not text.strip():
        raise TextError("The text is empty; give it at least one word.")


def split_ids(ids: list[int], room: int, space: int | None) -> Iterator[list[int]]:
    """Pieces of at most `room` ids, cut at a `space` between words where there is one."""
    while len(ids) > room:
        spaces = [place for place in range(1, room) if ids[place] == space]
        cut = spaces[-1] if spaces else room
        yield ids[:cut]
        ids = ids[cut + 1:] if spaces else ids[cut:]
    if ids:
        yield ids
