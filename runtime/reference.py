"""A recording to a voice: the checkpoint's own encoders, loaded for the call and given back."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from runtime.bundle import Bundle
from runtime.errors import BackendError, VoiceError
from runtime.features import MEL_RATE, SPEECH_RATE, filter_bank, log_mel, mel_frames
from runtime.manifest import Encoders
from runtime.text.qwen import QwenFrontEnd
from runtime.voice import Voice

SHORTEST, LONGEST = 0.5, 30.0
"""Seconds of a recording. The speech tokenizer takes no more."""
SILENCE = 1e-4


def clone_voice(bundle: Bundle, front_end: QwenFrontEnd, reference: Path, transcript: str | None,
                instruction: str | None, name: str) -> Voice:
    """Encode a recording as CosyVoice3's prompt.

    With a transcript the language model goes on from the recording (zero-shot); with an instruction, or with neither
    (cross-lingual), only the vocoder hears it.

    Raises:
        VoiceError: the bundle cannot clone, the recording cannot be used, or transcript and instruction are both given.
        BackendError: an encoder or a package for it is missing or fails.
    """
    encoders, vocoder = bundle.manifest.encoders, bundle.manifest.vocoder
    if encoders is None or vocoder is None or vocoder.flow is None:
        raise VoiceError(f"The bundle {bundle.manifest.model} cannot clone voices; choose one of {', '.join(bundle.voices)}.")
    if transcript is not None and instruction is not None:
        raise VoiceError("Give a transcript or an instruction, not both: an instruction leaves out what the recording says.")
    samples, rate = read_recording(reference)
    speech, ratio = resample(samples, rate, SPEECH_RATE), vocoder.flow.sizes.frames_per_token
    mel = mel_frames(resample(samples, rate, MEL_RATE))
    with ReferenceEncoders(bundle.root, encoders) as encoder:
        speaker, tokens = encoder.encode(speech)
    count = min(len(mel) // ratio, len(tokens))
    tokens, none = tokens[:count], np.zeros(0, np.int64)
    prompt = np.array(front_end.prompt(transcript, instruction), np.int64)
    voice = Voice(name, speaker, none if transcript is None else tokens, prompt, tokens, mel[:ratio * count])
    voice.check(bundle.manifest)
    return voice


def read_recording(path: Path) -> tuple[np.ndarray, int]:
    """Mono samples float32 [T] and their rate. Raises VoiceError."""
    soundfile = _package("soundfile")
    try:
        samples, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except Exception as error:  # soundfile's own, or the system's
        raise VoiceError(f"The recording {path} cannot be read ({error}); give a WAV or FLAC file.") from error
    mono: np.ndarray = samples.mean(1)
    seconds = len(mono) / rate
    if rate < SPEECH_RATE:
        raise VoiceError(f"The recording {path} has {rate} samples a second, at least {SPEECH_RATE} are needed.")
    if not SHORTEST <= seconds <= LONGEST:
        raise VoiceError(f"The recording {path} lasts {seconds:.1f} s; give one of {SHORTEST:g} to {LONGEST:g} s.")
    if not np.isfinite(mono).all() or np.abs(mono).max() < SILENCE:
        raise VoiceError(f"The recording {path} is silent or broken; give one with speech in it.")
    return mono, rate


def resample(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Samples float32 at another rate."""
    if rate == wanted:
        return samples
    changed: np.ndarray = _package("soxr").resample(samples, rate, wanted, quality="VHQ")
    return changed.astype(np.float32)


class ReferenceEncoders:
    """The checkpoint's two encoders, on the CPU: they run once a voice. Used as a context, it gives their memory back."""

    def __init__(self, root: Path, encoders: Encoders) -> None:
        self._paths = (root / encoders.speaker, root / encoders.tokens)
        self._sessions: dict[Path, Any] = {}

    def encode(self, speech: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Speaker embedding float32 [Es] and codec tokens int64 [T] of samples at 16 kHz. Raises BackendError."""
        features = log_mel(speech)[None]
        speaker = self._run(self._paths[0], filter_bank(speech)[None])
        tokens = self._run(self._paths[1], features, np.array([features.shape[2]], np.int32))
        return speaker.reshape(-1).astype(np.float32), tokens.reshape(-1).astype(np.int64)

    def __enter__(self) -> ReferenceEncoders:
        return self

    def __exit__(self, *_: object) -> None:
        self._sessions.clear()

    def _run(self, path: Path, *inputs: np.ndarray) -> np.ndarray:
        onnxruntime = _package("onnxruntime")
        try:
            if path not in self._sessions:
                options = onnxruntime.SessionOptions()
                options.log_severity_level = 4
                self._sessions[path] = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            session = self._sessions[path]
            names = [node.name for node in session.get_inputs()]
            output: np.ndarray = session.run(None, dict(zip(names, inputs, strict=True)))[0]
        except Exception as error:  # its exceptions share no other base class
            said = (str(error).splitlines() or [type(error).__name__])[0]
            raise BackendError(f"The encoder {path.name} failed: {said[:200]}.") from error
        return output


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except (ImportError, OSError) as error:
        raise BackendError(f"Cloning a voice needs the package {name}; run: pip install 'tldr-edge[cosyvoice]'.") from error
