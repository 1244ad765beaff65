"""Stage 7: the waveform decoder. Tokens to samples, on the hour that the teacher synthesised in full.

Starts from the trunk that the codec trained. Spectral losses at several resolutions first; `training.adversarial` refines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.vocoder import StreamingVocoder
from training.codec import Encoder
from training.loop import fit, warm_cosine
from training.mel import MelSpectrogram
from training.shards import read_folder
from training.student import Student
from training.tokens import trim

CROP = 34
"""Tokens of a training crop (1.36 s), the lookahead included."""
SETTLE = 3
"""Tokens at a crop's start that are out of the loss: there the state is not yet what it would be in a longer stream."""
RATE = 8e-4


@dataclass(frozen=True)
class Recording:
    """Codes [T] of one utterance, read from the student's mels and from the true ones, with its samples and speaker."""

    codes: tuple[Tensor, Tensor]
    samples: Tensor
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
        total = torch.zeros(())
        for size in self.sizes:
            window = getattr(self, f"window_{size}")
            a, b = (torch.stft(x, size, size // 4, window=window, return_complex=True).abs().clamp(min=1e-4)
                    for x in (made, true))
            total = total + (a.log() - b.log()).abs().mean() + (a - b).norm() / b.norm()
        for mel in self.mels:
            total = total + 4 * (mel(made) - mel(true)).abs().mean()
        return total


@torch.inference_mode()
def load_recordings(audio: Path, student: Student, encoder: Encoder, voices: dict[str, Tensor]) -> list[Recording]:
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
        if len(first) >= CROP:
            recordings.append(Recording((first, second), samples, voices[text["voice"]]))
    return recordings


def train_vocoder(recordings: list[Recording], trunk: dict[str, Tensor], folder: Path, config: VocoderConfig, steps: int,
                  batch: int = 16, seed: int = 0) -> None:
    """Fit the streaming vocoder with spectral losses, from the codec's decoder trunk."""
    torch.manual_seed(seed)
    vocoder = StreamingVocoder(config, len(recordings[0].speaker))
    vocoder.trunk.load_state_dict(trunk)
    loss_of = SpectralLoss()
    optimizer = torch.optim.AdamW(vocoder.parameters(), RATE, betas=(0.9, 0.98), weight_decay=0.01)

    def step(index: int) -> dict[str, float]:
        codes, speakers, true = draw_crops(recordings, batch, config, np.random.default_rng((seed, index)))
        loss = loss_of(voice_crops(vocoder, codes, speakers), true)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(vocoder.parameters(), 5.0)
        for group in optimizer.param_groups:
            group["lr"] = RATE * warm_cosine(index, steps, 100, 0.05)
        optimizer.step()
        return {"spectral": loss.item()}

    fit(folder, {"vocoder": vocoder, "optimizer": optimizer}, step, steps)


def draw_crops(recordings: list[Recording], batch: int, config: VocoderConfig,
               rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Codes [B, CROP], speakers [B, Es] and the samples that `voice_crops` should give."""
    rows = []
    for pick in rng.integers(len(recordings), size=batch):
        recording = recordings[pick]
        codes = recording.codes[int(rng.integers(2))]
        start = int(rng.integers(len(codes) - CROP + 1))
        first = (start + SETTLE) * config.samples_per_token
        last = (start + CROP - config.lookahead) * config.samples_per_token
        rows.append((codes[start:start + CROP], recording.speaker, recording.samples[first:last]))
    codes, speakers, samples = (torch.stack(column) for column in zip(*rows, strict=True))
    return codes, speakers, samples


def voice_crops(vocoder: StreamingVocoder, codes: Tensor, speakers: Tensor) -> Tensor:
    """Samples of the crops' tokens from SETTLE to the last whose lookahead is inside."""
    state = torch.zeros(len(codes), vocoder.state_size)
    samples, _ = vocoder(codes, speakers, state)
    return samples[:, (SETTLE + vocoder.config.lookahead) * vocoder.config.samples_per_token:]
