"""Training data of the waveform decoder: the teacher's recordings, the student's mels of many more sentences, and crops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.encoders import CodecEncoder
from training.codec.mel import HOP, MelSpectrogram
from training.codec.spectrograms import Speakers
from training.codec.student import Student
from training.codec.tokens import trim
from training.data.shards import read_folder
from training.data.teacher import FEATURE_HOP
from training.loop import CPU

CROP = 34
"""Tokens of a training crop (1.36 s), the lookahead included."""
SETTLE = 3
"""Tokens at a crop's start that are out of the loss: there the state is not yet what it would be in a longer stream."""


@dataclass(frozen=True)
class Recording:
    """Codes [T] of one utterance, read from the student's mels and from the true ones, with its samples, the teacher's
    pitch in Hz [4 T] and the speaker."""

    codes: tuple[Tensor, Tensor]
    samples: Tensor
    pitch: Tensor
    speaker: Tensor


@dataclass(frozen=True)
class Sketch:
    """One utterance by the student: its codes [T], normalised log-mels float16 [4 T, 80], the teacher's pitch in Hz
    [4 T] and the speaker."""

    codes: Tensor
    mels: Tensor
    pitch: Tensor
    speaker: Tensor


@torch.inference_mode()
def load_recordings(audio: Path, student: Student, encoder: CodecEncoder, voices: Speakers) -> list[Recording]:
    """Training recordings with their codes."""
    mel = MelSpectrogram()
    recordings = []
    for text, u in read_folder(audio):
        if text["split"] != "train":
            continue
        samples = torch.from_numpy(u["samples"]).float() / 32767
        features, pitch = (torch.from_numpy(u[key])[None].float() for key in ("features", "pitch"))
        made = trim(student(features, pitch)[0].numpy(), encoder.stride)
        frames = (torch.from_numpy(made), mel(samples[None])[0][:len(made)])
        first, second = (encoder.codes(f[None])[0].clone() for f in frames)
        if len(first) > CROP:
            recordings.append(Recording((first, second), samples, pitch_track(u["pitch"]), voices[text["voice"]]))
    return recordings


@torch.inference_mode()
def load_sketches(mels: Path, encoder: CodecEncoder, voices: Speakers) -> list[Sketch]:
    """The training split of the corpus `mels` with its codes."""
    sketches = []
    for text, u in read_folder(mels):
        if text["split"] == "train":
            frames = torch.from_numpy(trim(u["mels"], encoder.stride))
            codes = encoder.codes(frames[None].float())[0].clone()
            if len(codes) > CROP:
                sketches.append(Sketch(codes, frames.clone(), pitch_track(u["pitch"]), voices[text["voice"]]))
    return sketches


def pitch_track(pitch: np.ndarray) -> Tensor:
    """The teacher's pitch of every feature frame as that of every mel frame, Hz, float32."""
    track = torch.from_numpy(pitch)[None, None].float()
    return nn.functional.interpolate(track, size=len(pitch) * FEATURE_HOP // HOP, mode="linear")[0, 0].clone()


class Crops(NamedTuple):
    """A batch: codes int64 [B, CROP], speakers [B, Es], the pitch that each frame should predict [B, F], and what
    `vocoder.voice_crops` should give: samples [B, N] of recordings, mels [B, F', 80] of sketches."""

    codes: Tensor
    speakers: Tensor
    pitch: Tensor
    target: Tensor


def draw_recordings(recordings: Sequence[Recording], batch: int, config: VocoderConfig, rng: np.random.Generator,
                    device: torch.device = CPU) -> Crops:
    """Crops of random recordings at random places."""
    picks = [recordings[pick] for pick in rng.integers(len(recordings), size=batch)]
    rows = [(pick.codes[int(rng.integers(2))], pick.speaker, pick.pitch, pick.samples) for pick in picks]
    return _crops(rows, config, config.samples_per_token, rng, device)


def draw_sketches(sketches: Sequence[Sketch], batch: int, config: VocoderConfig, rng: np.random.Generator,
                  device: torch.device = CPU) -> Crops:
    """Crops of random sketches at random places."""
    picks = [sketches[pick] for pick in rng.integers(len(sketches), size=batch)]
    rows = [(pick.codes, pick.speaker, pick.pitch, pick.mels) for pick in picks]
    return _crops(rows, config, config.frames_per_token, rng, device)


def _crops(rows: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]], config: VocoderConfig, per_token: int,
           rng: np.random.Generator, device: torch.device) -> Crops:
    """Codes, speaker, pitch and target, `per_token` long for each token, cut at random places."""
    cut = []
    for codes, speaker, pitch, target in rows:
        # One token is left at the end: a frame predicts the pitch of the hop after its own.
        start = int(rng.integers(len(codes) - CROP))
        stop = start + CROP - config.lookahead
        frames = slice(start * config.frames_per_token + 1, stop * config.frames_per_token + 1)
        inner = slice((start + SETTLE) * per_token, stop * per_token)
        cut.append((codes[start:start + CROP], speaker, pitch[frames], target[inner].float()))
    return Crops(*(torch.stack(column).to(device) for column in zip(*cut, strict=True)))
