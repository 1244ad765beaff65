"""Training of the waveform decoder on the teacher's recordings and the student's mel frames.

Starts from the trunk that the codec trained. Spectral losses at several resolutions shape the filters while the source plays
the teacher's pitch; the predicted pitch has a loss of its own. Half of a batch has no recording, only the student's mels: far
more sentences, so that what a token sounds like is learnt and not remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.harmonic import HIGHEST, LOWEST
from export.model.state import StateReader
from export.model.vocoder import StreamingVocoder
from training.codec.mel import MelSpectrogram
from training.codec.recogniser import MelRecogniser, PhonemePerceptualLoss
from training.loop import CPU, fit, half, warm_cosine
from training.optimizers import Optimizers
from training.vocoder.crops import SETTLE, Recording, Sketch, draw_recordings, draw_sketches

RATE = 8e-4
PITCH_WEIGHT, PERCEPTUAL_WEIGHT = 3.0, 2.0
SKETCHED = 0.5
"""Share of a batch that the student made."""
MEL_WEIGHT = 8.0
"""Of the L1 on the student's mels: all that there is of a row without samples."""
EDGE = 2
"""Mel frames at a crop's ends whose windows reach beyond it."""
VOICED = 40.0
"""Hz below which the teacher's pitch means none."""


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


def train_vocoder(recordings: Sequence[Recording], sketches: Sequence[Sketch], trunk: Mapping[str, Tensor],
                  recogniser: MelRecogniser, folder: Path, config: VocoderConfig, steps: int,
                  head: Mapping[str, Tensor] | None = None, batch: int = 12, seed: int = 0, device: torch.device = CPU) -> None:
    """Fit the streaming vocoder, from the codec's decoder trunk: spectral losses, and that of a frozen recogniser; `head`
    has the initial weights of its head."""
    torch.manual_seed(seed)
    vocoder = StreamingVocoder(config, len(recordings[0].speaker))
    vocoder.trunk.load_state_dict(trunk)
    if head is not None:
        vocoder.head.load_state_dict(head)
    vocoder.to(device)
    loss_of, mel = SpectralLoss().to(device), MelSpectrogram().to(device)
    perceptual_loss = PhonemePerceptualLoss(recogniser).to(device)
    optimizers = Optimizers(vocoder.named_parameters(), RATE, 0.01)
    sketched = round(SKETCHED * batch)

    def step(index: int) -> dict[str, float]:
        torch.manual_seed(seed * 1_000_003 + index)
        rng = np.random.default_rng((seed, index))
        spoken = draw_recordings(recordings, batch - sketched, config, rng, device)
        drawn = draw_sketches(sketches, sketched, config, rng, device)
        codes, speakers, track = (torch.cat(pair) for pair in zip(spoken[:3], drawn[:3], strict=True))
        made, heard = voice_crops(vocoder, codes, speakers, track)
        frames, wanted = mel(made)[:, EDGE:-EDGE], torch.cat((mel(spoken.target), drawn.target))[:, EDGE:-EDGE]
        spectral, pitch = loss_of(made[:-sketched], spoken.target), pitch_loss(heard, track)
        mels, perceptual = (frames - wanted)[-sketched:].abs().mean(), perceptual_loss(frames, wanted)
        loss = spectral + MEL_WEIGHT * mels + PITCH_WEIGHT * pitch + PERCEPTUAL_WEIGHT * perceptual
        optimizers.step(loss, warm_cosine(index, steps, 50, 0.05), clip=5.0)
        return {"spectral": spectral.item(), "mels": mels.item(), "pitch": pitch.item(), "perceptual": perceptual.item()}

    fit(folder, {"vocoder": vocoder, "optimizers": optimizers}, step, steps)


def voice_crops(vocoder: StreamingVocoder, codes: Tensor, speakers: Tensor, pitch: Tensor) -> tuple[Tensor, Tensor]:
    """Samples of crops' tokens [B, CROP] from SETTLE to the last whose lookahead is inside, the source playing `pitch` [B, F],
    and the pitch predicted [B, F]. The source starts at a random phase, as it would in the middle of a stream."""
    device = codes.device
    state = torch.zeros(len(codes), vocoder.state_size, device=device)
    state[:, vocoder.trunk.state_size] = torch.rand(len(codes), device=device)
    reader = StateReader(state)
    with half(device):
        frames = vocoder.trunk(codes, speakers, reader).float()
    frames = frames[:, vocoder.config.lookahead * vocoder.config.frames_per_token:]
    samples = vocoder.head(frames, reader, pitch.clamp(LOWEST, HIGHEST))
    return samples[:, SETTLE * vocoder.config.samples_per_token:], vocoder.head.pitch_of(frames)


def pitch_loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean absolute log ratio over voiced frames."""
    voiced = (true > VOICED).float()
    ratio = (predicted.log() - true.clamp(LOWEST, HIGHEST).log()).abs()
    return (ratio * voiced).sum() / voiced.sum().clamp(min=1)
