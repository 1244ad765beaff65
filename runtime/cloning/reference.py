"""A recording to a voice: read and checked, encoded by the bundle's own encoders, its transcript put before what is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..bundle.reader import Bundle
from ..bundle.voice import Voice
from ..errors import VoiceError
from ..text.loading import FrontEnd
from .encoders import open_encoders, package
from .features import SPEECH_RATE

SHORTEST, LONGEST = 0.5, 30.0
"""Seconds of a recording. CosyVoice3's speech tokenizer takes no more."""
SILENCE = 1e-4
MAX_CHANNELS = 16


def clone_voice(bundle: Bundle, front_end: FrontEnd, reference: Path, transcript: str | None,
                instruction: str | None, name: str) -> Voice:
    """Encode a recording as a prompt.

    With a transcript the language model continues the recording (zero-shot); with an instruction, or with neither
    (cross-lingual), only extractor and vocoder hear who speaks.

    Raises:
        VoiceError: the bundle cannot clone, the recording cannot be used, transcript and instruction are both given, or the
            bundle takes no instructions.
        TextError: the transcript holds nothing that can be said.
        BackendError: an encoder or a package for it is missing or fails.
    """
    if transcript is not None and instruction is not None:
        raise VoiceError("Give a transcript or an instruction, not both: an instruction leaves out what the recording says.")
    with open_encoders(bundle) as encoders:
        encoded = encoders.encode(*read_recording(reference))
    none = np.zeros(0, np.int64)
    prompt = np.array(front_end.prompt(transcript, instruction), np.int64)
    flow = (encoded.tokens, encoded.flow_mel) if len(encoded.flow_mel) else (none, encoded.flow_mel)
    voice = Voice(name, encoded.speaker, none if transcript is None else encoded.tokens, prompt, *flow)
    voice.check(bundle.manifest)
    return voice


def _check_length(path: Path, rate: int, seconds: float, channels: int) -> None:
    if rate < SPEECH_RATE:
        raise VoiceError(f"The recording {path} has {rate} samples per second, at least {SPEECH_RATE} are needed.")
    if not SHORTEST <= seconds <= LONGEST:
        raise VoiceError(f"The recording {path} lasts {seconds:.1f} s; give one of {SHORTEST:g} to {LONGEST:g} s.")
    if channels > MAX_CHANNELS:
        raise VoiceError(f"The recording {path} has {channels} channels; give one of at most {MAX_CHANNELS}.")


def read_recording(path: Path) -> tuple[np.ndarray, int]:
    """Mono samples float32 [T] and their rate. Raises VoiceError."""
    soundfile = package("soundfile")
    try:
        with soundfile.SoundFile(str(path)) as file:
            rate, seconds = file.samplerate, file.frames / file.samplerate
            _check_length(path, rate, seconds, file.channels)  # before a sample is decoded: a small file may hold hours
            samples = file.read(round(LONGEST * rate) + 1, dtype="float32", always_2d=True)
    except VoiceError:
        raise
    except Exception as error:  # soundfile's own, or the system's
        raise VoiceError(f"The recording {path} cannot be read ({error}); give a WAV or FLAC file.") from error
    _check_length(path, rate, len(samples) / rate, 1)  # a header may promise more than there is
    mono: np.ndarray = samples.mean(1)
    if not np.isfinite(mono).all() or np.abs(mono).max() < SILENCE:
        raise VoiceError(f"The recording {path} is silent or broken; give one with speech in it.")
    return mono, rate
