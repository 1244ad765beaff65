"""Which voice speaks: one of the bundle's by its name, or one that the caller brings."""

from __future__ import annotations

from ..errors import VoiceError
from .reader import Bundle
from .voice import Voice


class Voices:
    """A bundle's voices, each read and checked once."""

    def __init__(self, bundle: Bundle, default: str | None = None) -> None:
        """`default` is taken where a call names none; None for the bundle's. VoiceError where there is no such voice."""
        self._bundle = bundle
        self._read: dict[str, Voice] = {}
        self._default: str | None = None
        if default is not None or bundle.voices:
            voice = bundle.voice(default)
            self._default = voice.name
            self._read[voice.name] = voice

    def chosen(self, voice: str | Voice | None) -> Voice:
        """The voice of that name, the voice itself if it fits the bundle, or the default. Raises VoiceError, BundleError."""
        if isinstance(voice, Voice):
            voice.check(self._bundle.manifest)
            return voice
        name = self._default if voice is None else voice
        if name is None:
            raise VoiceError(f"The bundle {self._bundle.manifest.model} has no voice of its own: give a recording to speak "
                             "like (--reference, or clone_voice).")
        if name not in self._read:
            self._read[name] = self._bundle.voice(name)
        return self._read[name]
