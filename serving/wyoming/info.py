"""Description of the Wyoming server, its reply to `describe`."""

from __future__ import annotations

from importlib import metadata

from wyoming.info import Attribution, Info, TtsProgram, TtsVoice

from serving.backends.interface import ModelInfo

_ATTRIBUTION = Attribution(name="tldr-edge", url="")
LANGUAGES = {"english-phonemes": ["en", "en-US", "en-GB"], "qwen2": ["zh", "en", "ja", "ko", "de", "es", "fr", "it", "ru"]}
"""Languages of a bundle by its text front end."""


def describe(model: ModelInfo) -> Info:
    """One program with the model's voices, the default one first."""
    languages = LANGUAGES.get(str(model.details.get("text")), ["en"])
    names = sorted(model.voices, key=lambda name: name != model.default_voice)
    version = _version()
    voices = [TtsVoice(name=name, description=name, attribution=_ATTRIBUTION, installed=True, version=version,
                       languages=languages) for name in names]
    return Info(tts=[TtsProgram(name="tldr-edge", description=f"tldr-edge, {model.name}", attribution=_ATTRIBUTION,
                                installed=True, version=version, voices=voices, supports_synthesize_streaming=True)])


def _version() -> str:
    try:
        return metadata.version("tldr-edge")
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        return "0"
