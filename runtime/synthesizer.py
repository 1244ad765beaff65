"""The toolkit's front door: a bundle, loaded once, that turns text into speech."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType

import numpy as np

from runtime.audio import Audio, AudioChunk
from runtime.backends import create_backend
from runtime.bundle import Bundle
from runtime.errors import BackendError, BundleError, BusyError, TextError, VoiceError
from runtime.sampling import SamplingOptions, uniform_source
from runtime.speech import Request, Speech
from runtime.stats import Tally, Timer
from runtime.stream import Stream
from runtime.text.frontend import TextFrontEnd
from runtime.text.phonemes import to_ids
from runtime.voice import Voice

MAX_CHARACTERS = 100_000
"""Longest text of one call: about two hours of speech."""
PAUSE_SECONDS = 0.15
"""Silence between two sentences, on top of what the voice itself leaves."""
_POLL_SECONDS = 0.05


class Synthesizer:
    """Text to speech with one bundle. Load it once and keep it.

    Safe to use from many threads: one utterance is made at a time, the others queue. It does not survive a fork: make one in
    each process.
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
            raise BundleError(f"The bundle {manifest.model} takes ids only: it can be measured with tldr-bench, not spoken with.")
        self._voices: dict[str, Voice] = {}
        self._voice = self.bundle.voice(voice).name
        self._text = TextFrontEnd.load(self.bundle.root / "text")
        self._backend = create_backend(self.bundle, provider, threads)
        self._speech = Speech(manifest, manifest.vocoder, self._backend)
        self.sample_rate = manifest.vocoder.sample_rate
        """Samples a second of everything this synthesizer makes."""
        self._turn = _Turn()
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

    def synthesize(self, text: str, *, voice: str | None = None, seed: int = 0, temperature: float | None = None,
                   top_k: int | None = None, top_p: float | None = None) -> Audio:
        """Speak `text` and return all of it.

        Collects a stream that decodes each sentence wholly before its first sample, so that a sentence whose model misses
        its end is tried again (`stats.retries`) with other random numbers. Sentences that need no second try have the same
        samples as `stream` gives. Arguments and errors are those of `stream`.
        """
        return self._stream(text, voice, seed, SamplingOptions.chosen(self.bundle.manifest.sampling, temperature, top_k, top_p),
                            retry=True).collect()

    def stream(self, text: str, *, voice: str | None = None, seed: int = 0, temperature: float | None = None,
               top_k: int | None = None, top_p: float | None = None) -> Stream:
        """Speak `text` chunk by chunk, the first as soon as its patches are there.

        Args:
            text: at most `MAX_CHARACTERS`; spoken sentence by sentence.
            voice: one of `voices`; None for the synthesizer's.
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
        return self._stream(text, voice, seed, SamplingOptions.chosen(self.bundle.manifest.sampling, temperature, top_k, top_p),
                            retry=False)

    def clone_voice(self, reference: Path | str, transcript: str) -> Voice:
        """A voice from a recording and what it says; VoiceError, as bundles of this version hold no encoder for it."""
        del reference, transcript
        raise VoiceError(f"The bundle {self.bundle.manifest.model} cannot clone voices; choose one of {', '.join(self.voices)}.")

    def close(self) -> None:
        """Cancel all streams and give back graphs and memory. It may be called twice."""
        for stream in list(self._streams):
            stream.cancel()
        with self._turn.hold(threading.Event(), None):
            self._backend.close()

    def __enter__(self) -> Synthesizer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
