"""Discriminators of synthetic and real speech: of the waveform folded at several periods, and of its spectrogram at several
resolutions. They exist in training only.

A loss of distances alone is smallest at the mean of all that might have been said, which sounds dull; these hear that it is.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from training.loop import half

PERIODS = (2, 3, 5, 7, 11)
WINDOWS = (512, 1024, 2048)
FLOOR = 1e-4
"""Least magnitude of a spectrogram's bin."""
Judgement = tuple[Tensor, list[Tensor]]
"""Scores of all places, high for spoken, and the hidden features on the way to them."""


class _Layers(nn.Module):
    """Convolutions with activations between them; the last one returns the scores."""

    def __init__(self, convolutions: list[nn.Conv2d]) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(weight_norm(each) for each in convolutions)

    def forward(self, x: Tensor) -> Judgement:
        features = []
        for convolution in self.convolutions[:-1]:
            x = nn.functional.leaky_relu(convolution(x), 0.1)
            features.append(x)
        return self.convolutions[-1](x), features


class PeriodDiscriminator(nn.Module):
    """Samples [B, T] folded into columns one period apart: sensitive to pulses, buzz and phase."""

    def __init__(self, period: int, widths: tuple[int, ...] = (1, 16, 32, 64, 128)) -> None:
        super().__init__()
        self.period = period
        strided = [nn.Conv2d(a, b, (5, 1), (3, 1), (2, 0)) for a, b in pairwise(widths)]
        self.layers = _Layers([*strided, nn.Conv2d(widths[-1], widths[-1], (5, 1), 1, (2, 0)),
                               nn.Conv2d(widths[-1], 1, (3, 1), 1, (1, 0))])

    def forward(self, samples: Tensor) -> Judgement:
        padded = nn.functional.pad(samples, (0, -samples.shape[1] % self.period))
        judgement: Judgement = self.layers(padded.reshape(len(samples), 1, -1, self.period))
        return judgement


class SpectrumDiscriminator(nn.Module):
    """Log-magnitudes of samples [B, T], with a second channel for the frequency of each bin: sensitive to texture in bands."""

    window: Tensor

    def __init__(self, size: int, width: int = 16) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        dilated = [nn.Conv2d(width, width, (9, 3), (2, 1), (4, d), (1, d)) for d in (1, 2, 4)]
        self.layers = _Layers([nn.Conv2d(2, width, (9, 3), 1, (4, 1)), *dilated, nn.Conv2d(width, width, 3, 1, 1),
                               nn.Conv2d(width, 1, 3, 1, 1)])

    def forward(self, samples: Tensor) -> Judgement:
        with torch.autocast(samples.device.type, enabled=False):
            bins = torch.stft(samples.float(), self.size, self.size // 4, window=self.window, return_complex=True).abs()
            magnitudes = bins.clamp(min=FLOOR).log()[:, None]
        places = torch.linspace(-1, 1, magnitudes.shape[2], device=samples.device)[:, None].expand_as(magnitudes)
        judgement: Judgement = self.layers(torch.cat((magnitudes, places), 1))
        return judgement


class Discriminators(nn.Module):
    """All of them, each with one voice."""

    def __init__(self) -> None:
        super().__init__()
        self.periods = nn.ModuleList(PeriodDiscriminator(period) for period in PERIODS)
        self.spectra = nn.ModuleList(SpectrumDiscriminator(size) for size in WINDOWS)

    def _judge(self, samples: Tensor) -> list[Judgement]:
        with half(samples.device):
            return [each(samples) for each in (*self.periods, *self.spectra)]

    def loss(self, spoken: Tensor, made: Tensor) -> Tensor:
        """Hinge loss of the discriminators: real samples above 1, generated ones below -1; a scalar, 2 at chance."""
        pairs = zip(self._judge(spoken), self._judge(made), strict=True)
        losses = [torch.relu(1 - a.float()).mean() + torch.relu(1 + b.float()).mean() for (a, _), (b, _) in pairs]
        return torch.stack(losses).mean()

    def judge(self, spoken: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of the generator: distance from being scored as real, and how differently the spectra's
        features see the two, relative to the spoken one's. The periods' features would ask for the very phases."""
        with torch.no_grad():
            wanted = self._judge(spoken)
        got = self._judge(made)
        passing = torch.stack([torch.relu(1 - score.float()).mean() for score, _ in got]).mean()
        spectra = zip(wanted[len(self.periods):], got[len(self.periods):], strict=True)
        distances = [(a.float() - b.float()).abs().mean() / a.float().abs().mean()
                     for (_, true), (_, other) in spectra for a, b in zip(true, other, strict=True)]
        return passing, torch.stack(distances).mean()
