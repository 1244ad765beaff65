"""The waveform decoder. Tokens to samples, on the hour that the teacher synthesised in full.

Starts from the trunk that the codec trained. Spectral losses at several resolutions shape the filters while the source plays
the teacher's pitch; the predicted pitch has a loss of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.encoders import CodecEncoder
from export.model.harmonic import HIGHEST, LOWEST
from export.model.state import StateReader
from export.model.vocoder import StreamingVocoder
from training.loop import CPU, fit, half, warm_cosine
from training.mel import HOP, MelSpectrogram
from training.optimizers import Optimizers
from training.recogniser import HearingLoss, Recogniser
from training.shards import read_folder
from training.student import Student
from training.teacher import FEATURE_HOP
from training.tokens import trim

CROP = 34
"""Tokens of a training crop (1.36 s), the lookahead included."""
SETTLE = 3
"""Tokens at a crop's start that are out of the loss: there the state is not yet what it would be in a longer stream."""
RATE = 8e-4
PITCH_WEIGHT, HEARING_WEIGHT = 3.0, 2.0
VOICED = 40.0
"""Hz below which the teacher's pitch means none."""


@dataclass(frozen=True)
class Recording:
    """Codes [T] of one utterance, read from the student's mels and from the true ones, with its samples, the teacher's
    pitch in Hz [4 T] and the speaker."""

    codes: tuple[Tensor, Tensor]
    samples: Tensor
    pitch: Tensor
    speaker: Tensor


class SpectralLoss(nn.Module):
    """Log-magnitude L1 and spectral convergence at three resolutions, and L1 of two mel scales."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes = (512, 1024, 2048)
        for size in self.sizes:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)
        self.mels = nn.ModuleList((MelSpectrogram(), MelSpectrogram(n_fft=512, hop=120, bands=40)))

    def forward(self, made: Tensor, true: Tensor) -> Tensor:
        """Scalar loss of samples [B, T]."""
        total = made.new_zeros(())
        for size in self.sizes:
            window = getattr(self, f"window_{size}")
            a, b = (torch.stft(x, size, size // 4, window=window, return_complex=True).abs().clamp(min=1e-4)
                    for x in (made, true))
            total = total + (a.log() - b.log()).abs().mean() + (a - b).norm() / b.norm()
        for mel in self.mels:
            total = total + 4 * (mel(made) - mel(true)).abs().mean()
        return total


@torch.inference_mode()
def load_recordings(audio: Path, student: Student, encoder: CodecEncoder, voices: dict[str, Tensor]) -> list[Recording]:
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
            track = nn.functional.interpolate(pitch[None], size=pitch.shape[1] * FEATURE_HOP // HOP, mode="linear")[0, 0]
            recordings.append(Recording((first, second), samples, track.clone(), voices[text["voice"]]))
    return recordings


def train_vocoder(recordings: Sequence[Recording], trunk: Mapping[str, Tensor], recogniser: Recogniser, folder: Path,
                  config: VocoderConfig, steps: int, head: Mapping[str, Tensor] | None = None, batch: int = 12,
                  seed: int = 0, device: torch.device = CPU) -> None:
    """Fit the streaming vocoder, from the codec's decoder trunk: spectral losses, and what a frozen recogniser hears; `head` is
    where its head starts."""
    torch.manual_seed(seed)
    vocoder = StreamingVocoder(config, len(recordings[0].speaker))
    vocoder.trunk.load_state_dict(trunk)
    if head is not None:
        vocoder.head.load_state_dict(head)
    vocoder.to(device)
    loss_of, hearing_loss, mel = SpectralLoss().to(device), HearingLoss(recogniser).to(device), MelSpectrogram().to(device)
    optimizers = Optimizers(vocoder.named_parameters(), RATE, 0.01)

    def step(index: int) -> dict[str, float]:
        torch.manual_seed(seed * 1_000_003 + index)
        crops = draw_crops(recordings, batch, config, np.random.default_rng((seed, index)), device)
        made, heard = voice_crops(vocoder, crops)
        spectral, pitch = loss_of(made, crops.samples), pitch_loss(heard, crops.pitch)
        hearing = hearing_loss(mel(made), mel(crops.samples))
        loss = spectral + PITCH_WEIGHT * pitch + HEARING_WEIGHT * hearing
        optimizers.step(loss, warm_cosine(index, steps, 50, 0.05), clip=5.0)
        return {"spectral": spectral.item(), "pitch": pitch.item(), "hearing": hearing.item()}

    fit(folder, {"vocoder": vocoder, "optimizers": optimizers}, step, steps)


class Crops(NamedTuple):
    """A batch: codes int64 [B, CROP], speakers [B, Es], the pitch that each frame should predict [B, F], and the samples that
    `voice_crops` should give."""

    codes: Tensor
    speakers: Tensor
    pitch: Tensor
    samples: Tensor


def draw_crops(recordings: Sequence[Recording], batch: int, config: VocoderConfig, rng: np.random.Generator,
               device: torch.device = CPU) -> Crops:
    """Crops of random recordings at random places."""
    rows = []
    for pick in rng.integers(len(recordings), size=batch):
        recording = recordings[pick]
        codes = recording.codes[int(rng.integers(2))]
        # One token is left at the end: a frame predicts the pitch of the hop behind its own.
        start = int(rng.integers(len(codes) - CROP))
        stop = start + CROP - config.lookahead
        frames = slice(start * config.frames_per_token + 1, stop * config.frames_per_token + 1)
        samples = slice((start + SETTLE) * config.samples_per_token, stop * config.samples_per_token)
        rows.append((codes[start:start + CROP], recording.speaker, recording.pitch[frames], recording.samples[samples]))
    return Crops(*(torch.stack(column).to(device) for column in zip(*rows, strict=True)))


def voice_crops(vocoder: StreamingVocoder, crops: Crops) -> tuple[Tensor, Tensor]:
    """Samples of the crops' tokens from SETTLE to the last whose lookahead is inside, and the pitch predicted [B, F]. The
    source starts at a random phase, as it would in the middle of a stream."""
    device = crops.codes.device
    state = torch.zeros(len(crops.codes), vocoder.state_size, device=device)
    state[:, vocoder.trunk.state_size] = torch.rand(len(crops.codes), device=device)
    reader = StateReader(state)
    with half(device):
        frames = vocoder.trunk(crops.codes, crops.speakers, reader).float()
    frames = frames[:, vocoder.config.lookahead * vocoder.config.frames_per_token:]
    played = crops.pitch.clamp(LOWEST, HIGHEST)
    samples = vocoder.head(frames, reader, played)
    return samples[:, SETTLE * vocoder.config.samples_per_token:], vocoder.head.pitch_of(frames)


def pitch_loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean absolute log ratio over voiced frames."""
    voiced = (true > VOICED).float()
    ratio = (predicted.log() - true.clamp(LOWEST, HIGHEST).log()).abs()
    return (ratio * voiced).sum() / voiced.sum().clamp(min=1)
