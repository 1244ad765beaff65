"""Voice names as clients send them: the model's own, OpenAI's and Kokoro's as aliases, in any case."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from serving.backends.interface import ModelInfo
from serving.errors import ApiError

OPENAI_VOICES = {"alloy": "", "ash": "m", "ballad": "m", "cedar": "m", "coral": "f", "echo": "m", "fable": "m", "marin": "f",
                 "nova": "f", "onyx": "m", "sage": "f", "shimmer": "f", "verse": "m"}
"""OpenAI's voices, each m, f, or empty for the default voice."""
_PATTERNS = {"[abefhijpz]f_*": "f", "[abefhijpz]m_*": "m"}
"""Kokoro's voices: language, sex, name, such as af_heart. Home Assistant's integration sends them."""
_SEXES = {"kumo": "m", "alpha": "f", "nezumi": "f"}
"""Sex of the embedded voices. Voices of other bundles alternate."""


class VoiceNames:
    """Finds the voice that a request means."""

    def __init__(self, aliases: Mapping[str, str] | None = None, strict: bool = False) -> None:
        """`aliases` come before the built-in ones, which `strict` switches off."""
        self._aliases = {name.lower(): voice for name, voice in (aliases or {}).items()}
        self._strict = strict

    def find(self, name: str | None, model: ModelInfo) -> str | None:
        """The model's voice for a name; None for the default. ApiError 400 for a name that means nothing."""
        if name is None or name.lower() in ("", "default"):
            return None
        name = self._aliases.get(name.lower(), name)
        for voice in model.voices:
            if voice.lower() == name.lower():
                return voice
        if not self._strict and (sex := _sex_of(name.lower())) is not None:
            return _choose(name.lower(), sex, model)
        raise ApiError(400, f"There is no voice {name[:80]!r}; choose one of {', '.join(model.voices) or 'none'}, or set an "
                            "alias for it with --voice-alias.", "voice_not_found", "voice")

    def table(self, model: ModelInfo) -> dict[str, str]:
        """The voice for each alias; for clients that list them."""
        names = [*self._aliases, *(() if self._strict else OPENAI_VOICES)]
        return {name: self.find(name, model) or model.default_voice or "" for name in names}


def _sex_of(name: str) -> str | None:
    """m, f, or empty for the default voice; None for a name that is no alias."""
    found = OPENAI_VOICES.get(name)
    return found if found is not None else next((sex for form, sex in _PATTERNS.items() if fnmatchcase(name, form)), None)


def _choose(name: str, sex: str, model: ModelInfo) -> str | None:
    """A voice of that sex, always the same for a name; the default voice where sexes are unknown or there is none."""
    fitting = [voice for voice in model.voices if _SEXES.get(voice) == sex]
    if not sex or not fitting:
        return None
    return fitting[sum(name.encode()) % len(fitting)]
