"""Differentiable log-mel frames, for the codec and losses; `runtime.cloning.features.codec_mel` is the same in numpy."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from runtime.cloning.features import CODEC_BINS, CODEC_FFT, CODEC_FLOOR, CODEC_HOP, CODEC_MEAN, CODEC_RATE, CODEC_SCALE

SAMPLE_RATE, HOP, BANDS = CODEC_RATE, CODEC_HOP, CODEC_BINS
FLOOR, MEAN, SCALE = CODEC_FLOOR, CODEC_MEAN, CODEC_SCALE
"""Log-mels are stored as (log - MEAN) / SCALE: within about -2..2."""


class MelSpectrogram(nn.Module):
    """Normalised log-mel frames [B, T / hop, bands] of samples [B, T]; frame i is centred on its own hop."""

    window: Tensor
    filters: Tensor

    def __init__(self, n_fft: int = CODEC_FFT, hop: int = HOP, bands: int = BANDS, sample_rate: int = SAMPLE_RATE) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("filters", mel_filters(n_fft, bands, sample_rate), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        margin = self.n_fft - self.hop
        padded = nn.functional.pad(samples, (margin // 2, margin - margin // 2))
        spectrum = torch.stft(padded, self.n_fft, self.hop, window=self.window, center=False, return_complex=True).abs()
        bands = self.filters @ spectrum
        return (bands.clamp(min=FLOOR).log().transpose(1, 2) - MEAN) / SCALE


def mel_filters(n_fft: int, bands: int, sample_rate: int) -> Tensor:
    """Triangles [bands, n_fft / 2 + 1] evenly spaced on the mel scale from 0 Hz to Nyquist, of equal area."""
    top = 2595 * math.log10(1 + sample_rate / 2 / 700)
    edges = 700 * (10 ** (torch.linspace(0, top, bands + 2, dtype=torch.float64) / 2595) - 1)
    frequencies = torch.linspace(0, sample_rate / 2, n_fft // 2 + 1, dtype=torch.float64)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising, falling = (frequencies - low) / (centre - low), (high - frequencies) / (high - centre)
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return (triangles * 2 / (high - low) * 50).float()
