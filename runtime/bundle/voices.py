"""Choice of the voice: one of the bundle's by name, a saved one by path, or a `Voice` of the caller."""

from __future__ import annotations

from ..errors import VoiceError
from .reader import Bundle
from .voice import Voice


class Voices:
    """A bundle's voices, each read and checked once."""

    def __init__(self, bundle: Bundle, default: str | None = None) -> None:
        """`default`, a name or the path of a saved voice, is taken where a call names none; None for the bundle's.

        Raises:
            VoiceError, BundleError: there is no such voice, or it does not fit.
        """
        self._bundle = bundle
        # All are read now: a bundle that is replaced later must not lend a voice to the graphs of this one.
        self._read: dict[str, Voice] = {name: bundle.voice(name) for name in bundle.voices}
        self._default: str | None = None
        if default is not None or bundle.voices:
            voice = bundle.voice(None) if default is None else self._open(default)
            self._default = default or voice.name
            self._read[self._default] = voice

    @property
    def has_default(self) -> bool:
        """Return whether a call may leave out its voice."""
        return self._default is not None

    def chosen(self, voice: str | Voice | None) -> Voice:
        """The voice of that name, the voice itself if it fits the bundle, or the default. Raises VoiceError, BundleError."""
        if isinstance(voice, Voice):
            voice.check(self._bundle.manifest)
            return voice
        name = self._default if voice is None else voice
        if name is None:
            raise VoiceError(f"The bundle {self._bundle.manifest.model} contains no voice: give a saved one (voice.npz), or a "
                             "recording to clone (--reference, or clone_voice).")
        if name not in self._read:
            self._read[name] = self._open(name)
        return self._read[name]

    def _open(self, name: str) -> Voice:
        """Read a voice of the bundle by its name, or a saved one by its path, which ends in .npz."""
        if not name.lower().endswith(".npz"):
            return self._bundle.voice(name)
        voice = Voice.load(name)
        voice.check(self._bundle.manifest)
        return voice
