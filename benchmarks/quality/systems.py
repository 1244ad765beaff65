"""Evaluated systems: a bundle, recordings, or recordings through a bundle's codec."""

from __future__ import annotations

import contextlib
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import soundfile

from runtime import Bundle, Synthesizer
from runtime.audio import Sound
from runtime.backends import create_backend
from runtime.bundle.manifest import Manifest
from runtime.cloning.encoders import ReferenceEncoders, open_encoders
from runtime.errors import OptionError
from runtime.vocoder.vocoding import VocoderOpener, vocoder_opener

INDEX = "index.tsv"
_LANGUAGE_MODEL = ("MODEL_CARD", "text/", *(f"onnx/{graph}" for graph in (
    "text_embedding", "speech_embedding", "compressor", "backbone", "extractor", "step")))
"""Prefixes of files that a codec does not need."""


@dataclass(frozen=True, eq=False)
class EvaluatedAudio(Sound):
    """A reading, and how the decoder says that it ended."""

    stopped_by: str = "end"


class EvaluatedSystem(ABC):
    """Something that reads sentences. Cheap to make and to send to another process: it opens at its first sentence."""

    name: str
    fingerprint: str
    """Changes when what it would say may change."""

    @abstractmethod
    def read(self, text: str, voice: str, seed: int) -> EvaluatedAudio:
        """Speak a sentence. Raises OptionError where it cannot."""

    @abstractmethod
    def voices(self) -> list[str]:
        """Names of the voices that it has, the default first."""


class BundleSystem(EvaluatedSystem):
    """A bundle in the runtime, on one thread of the CPU; a missed end is tried again as `Synthesizer.synthesize` does."""

    def __init__(self, path: Path | None, name: str | None = None) -> None:
        self._bundle = Bundle.open(path)
        manifest = self._bundle.manifest
        kind = "token level" if manifest.sizes.token_level else f"TLDR k = {manifest.sizes.patch}"
        self.name = name or f"{kind}, {manifest.numbers.upper()}"
        self.fingerprint = _digest(repr((sorted(manifest.files.items()), manifest.sampling, manifest.limits)))

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in self.__dict__.items() if key != "synthesizer"}

    @cached_property
    def synthesizer(self) -> Synthesizer:
        """The loaded bundle."""
        return Synthesizer(self._bundle.root, provider="cpu", threads=1)

    def read(self, text: str, voice: str, seed: int) -> EvaluatedAudio:
        audio = self.synthesizer.synthesize(text, voice=voice, seed=seed)
        return EvaluatedAudio(audio.samples, audio.sample_rate, audio.stats.stopped_by or "end")

    def voices(self) -> list[str]:
        first = self._bundle.manifest.default_voice
        return [*([first] if first else []), *(name for name in self._bundle.voices if name != first)]


class Recordings(EvaluatedSystem):
    """Sound files in the layout of `training.recordings`: DIR/<voice>/index.tsv names a file for each sentence."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        self._files = {path.parent.name: dict(_index(path)) for path in sorted(folder.glob(f"*/{INDEX}"))}
        if not self._files:
            raise OptionError(f"{folder} holds no recordings: VOICE/{INDEX} is missing; make them with "
                              "python -m training.recordings.")
        self.fingerprint = _digest(repr(self._files))

    def read(self, text: str, voice: str, seed: int) -> EvaluatedAudio:
        path = self._files.get(voice, {}).get(text)
        if path is None or not path.is_file():
            raise OptionError(f"{self._folder} has no recording of {voice!r} reading {text!r}; make it, or ask for "
                              "fewer sentences.")
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        return EvaluatedAudio(samples.mean(1), rate)

    def voices(self) -> list[str]:
        return list(self._files)


class CodecSystem(EvaluatedSystem):
    """Recordings through a bundle's codec and back: its encoder, then its waveform decoder; no language model."""

    def __init__(self, name: str, recordings: Recordings, bundle: Path | None) -> None:
        self.name, self._recordings, self._bundle = name, recordings, Bundle.open(bundle)
        if self._bundle.manifest.encoders is None or self._bundle.manifest.vocoder is None:
            raise OptionError(f"The bundle {self._bundle.root} has no encoder of its codec; leave out --codec, or export it "
                              "from a checkpoint that has one.")
        self._sample_rate = self._bundle.manifest.vocoder.sample_rate
        self.fingerprint = _digest(recordings.fingerprint + codec_files(self._bundle.manifest))

    def __getstate__(self) -> dict[str, object]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_encoders", "_open_vocoder")}

    @cached_property
    def _encoders(self) -> ReferenceEncoders:
        return open_encoders(self._bundle)

    @cached_property
    def _open_vocoder(self) -> VocoderOpener:
        assert self._bundle.manifest.vocoder is not None
        return vocoder_opener(self._bundle, self._bundle.manifest.vocoder, create_backend(self._bundle, "cpu", 1))

    def read(self, text: str, voice: str, seed: int) -> EvaluatedAudio:
        sound, vocoder = self._recordings.read(text, voice, seed), self._open_vocoder(self._bundle.voice(voice))
        tokens = self._encoders.encode(sound.samples, sound.sample_rate).tokens
        return EvaluatedAudio(np.concatenate((vocoder.push(tokens), vocoder.flush())), self._sample_rate)

    def voices(self) -> list[str]:
        return [voice for voice in self._recordings.voices() if voice in self._bundle.voices]


def codec_files(manifest: Manifest) -> str:
    """Names and hashes of what a codec needs of a bundle: its readings outlive another language model there."""
    return repr(sorted(item for item in manifest.files.items() if not item[0].startswith(_LANGUAGE_MODEL)))


def named(option: str) -> tuple[str | None, Path]:
    """`NAME=DIR` or `DIR` to its parts."""
    name, equals, path = option.partition("=")
    return (name, Path(path)) if equals else (None, Path(option))


def check_names(systems: list[EvaluatedSystem], voices: tuple[str, ...]) -> None:
    """Raise OptionError where two systems share a name, or one lacks a voice."""
    names = [system.name for system in systems]
    for system in systems:
        if names.count(system.name) > 1:
            raise OptionError(f"Two systems are called {system.name!r}; give them names, as in --bundle NAME=DIR.")
        missing = [voice for voice in voices if voice not in system.voices()]
        if missing:
            raise OptionError(f"{system.name} has no voice {missing[0]!r}; it has {', '.join(system.voices()) or 'none'}.")


def _index(path: Path) -> Iterator[tuple[str, Path]]:
    with contextlib.suppress(UnicodeDecodeError):
        for line in path.read_text(encoding="utf-8").splitlines():
            name, tab, text = line.partition("\t")
            if tab:
                yield text, path.parent / name


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
