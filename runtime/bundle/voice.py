"""A voice file: `.npz` with `speaker`, and for zero-shot voices the prompt's tokens and text ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..atomic import BROKEN_ARCHIVE, atomic_file
from ..errors import BundleError, VoiceError
from .arrays import load_arrays
from .manifest import Manifest

MAX_BYTES = 64 << 20
"""Unpacked size of a voice file that is still read."""
LEAST_SECONDS = 10.0
"""Speech that a prompt must leave room for: a longer sentence is rare."""
_KEYS = {"speaker", "prompt_tokens", "prompt_text_ids", "flow_tokens", "flow_mel"}


@dataclass(frozen=True, eq=False)
class Voice:
    """A speaker, and optionally a prompt: its text ids precede the text, its patches precede the speech."""

    name: str
    speaker: np.ndarray
    """float32 [Es]."""
    prompt_tokens: np.ndarray
    """int64 [T], T >= 0. Tokens that do not fill a patch are dropped at the front: speech continues at the prompt's end."""
    prompt_text_ids: np.ndarray
    """int64 [S], S >= 0."""
    flow_tokens: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """int64 [F], F >= 0: tokens of the recording that CosyVoice3's vocoder continues."""
    flow_mel: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    """float32 [F x frames per token, mel]: the same recording."""

    @classmethod
    def load(cls, path: Path | str) -> Voice:
        """Read a voice that `save` wrote; it is called after its file.

        Raises:
            VoiceError: no such file, or not a voice.
        """
        try:
            return _read(Path(path), Path(path).stem)
        except BundleError as error:
            raise VoiceError(f"{path}: {error}") from error

    def check(self, manifest: Manifest) -> None:
        """Raise VoiceError unless it fits the sizes and limits of a bundle, and leaves room for speech after its prompt."""
        wrong = _problem(self, manifest) or _room_problem(self, manifest)
        if wrong:
            raise VoiceError(f"Voice {self.name!r} does not fit the bundle {manifest.model}: {wrong}.")

    def save(self, path: Path | str) -> None:
        """Write the voice file. Raises OutputError."""
        arrays = {key: getattr(self, key) for key in sorted(_KEYS) if key == "speaker" or len(getattr(self, key))}
        with atomic_file(path) as file:
            np.savez(file, **arrays)


def read_voice(path: Path, name: str, manifest: Manifest) -> Voice:
    """Read and check one voice; BundleError for a file that is none, or does not fit the bundle's sizes and limits."""
    voice = _read(path, name)
    wrong = _problem(voice, manifest)
    if wrong:
        raise BundleError(f"Voice {name!r} does not fit its bundle: {wrong}; export the bundle again.")
    return voice


def neutral_voice(manifest: Manifest) -> Voice:
    """Return a placeholder to run a bundle without voices: a speaker of zeros, no prompt."""
    flow = None if manifest.vocoder is None else manifest.vocoder.flow
    none = np.zeros(0, np.int64)
    return Voice("neutral", np.zeros(manifest.sizes.speaker, np.float32), none, none, none,
                 np.zeros((0, 0 if flow is None else flow.sizes.mel), np.float32))


def _read(path: Path, name: str) -> Voice:
    try:
        arrays = load_arrays(path, MAX_BYTES)
    except BROKEN_ARCHIVE as error:
        raise BundleError(f"Voice {name!r} is no readable .npz file ({error}); export the bundle again.") from error
    if "speaker" not in arrays or not arrays.keys() <= _KEYS:
        raise BundleError(f"Voice {name!r} holds {', '.join(sorted(arrays))[:200]}, expected speaker and optionally "
                          "prompt_tokens and prompt_text_ids; export the bundle again.")
    none, frames = np.zeros(0, np.int64), np.zeros((0, 0), np.float32)
    return Voice(name, arrays["speaker"], arrays.get("prompt_tokens", none), arrays.get("prompt_text_ids", none),
                 arrays.get("flow_tokens", none), arrays.get("flow_mel", frames))


def _problem(voice: Voice, manifest: Manifest) -> str | None:
    speaker, tokens, ids = voice.speaker, voice.prompt_tokens, voice.prompt_text_ids
    if speaker.dtype != np.float32 or speaker.shape != (manifest.sizes.speaker,) or not np.isfinite(speaker).all():
        return f"speaker must be {manifest.sizes.speaker} finite float32 numbers"
    if any(array.dtype != np.int64 or array.ndim != 1 for array in (tokens, ids)):
        return "prompt_tokens and prompt_text_ids must be int64 vectors"
    if tokens.size and not (tokens.min() >= 0 and tokens.max() < manifest.sizes.codes):
        return f"prompt_tokens must be codes from 0 to {manifest.sizes.codes - 1}"
    if ids.size and ids.min() < 0:
        return "prompt_text_ids must not be negative"
    if len(ids) >= manifest.limits.max_text_ids:
        return f"its prompt has {len(ids)} text ids, the cache was sized for {manifest.limits.max_text_ids} in all"
    if len(tokens) >= manifest.limits.seconds * manifest.token_rate:
        return f"its prompt is longer than the {manifest.limits.seconds:g} seconds that the cache was sized for"
    return _flow_problem(voice, manifest)


def _room_problem(voice: Voice, manifest: Manifest) -> str | None:
    """Return a sentence where the prompt leaves too little room in the cache: speech would be cut without a word."""
    seconds, least = len(voice.prompt_tokens) / manifest.token_rate, min(LEAST_SECONDS, manifest.limits.max_seconds / 2)
    room = manifest.limits.seconds - seconds
    if not seconds or room >= least:
        return None
    return (f"its recording of {seconds:.1f} s leaves room for {room:.1f} s of speech; use one of at most "
            f"{manifest.limits.seconds - least:g} s, or leave out the transcript")


def _flow_problem(voice: Voice, manifest: Manifest) -> str | None:
    tokens, mel = voice.flow_tokens, voice.flow_mel
    flow = None if manifest.vocoder is None else manifest.vocoder.flow
    if flow is None:
        return "it has a prompt for a vocoder that this bundle does not have" if len(tokens) or len(mel) else None
    codes = tokens.dtype == np.int64 and tokens.ndim == 1
    if not codes or (tokens.size and not 0 <= tokens.min() <= tokens.max() < manifest.sizes.codes):
        return f"flow_tokens must be codes from 0 to {manifest.sizes.codes - 1}"
    wanted = (len(tokens) * flow.sizes.frames_per_token, flow.sizes.mel)
    if len(tokens) and (mel.dtype != np.float32 or mel.shape != wanted or not np.isfinite(mel).all()):
        return f"flow_mel must be {wanted[0]} x {wanted[1]} finite float32 numbers"
    return None
