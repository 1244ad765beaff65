"""CosyVoice3's waveform decoder (HiFT): mel frames to pitch, and mel and source to samples through an inverse STFT.

Causal but for a few frames of lookahead, zeros before the first frame. Attribute names are the checkpoint's, with weight norm
folded into plain weights. STFT and inverse STFT are convolutions: every engine has those. Float32 in every precision.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from export.model.config import HiftConfig

MAX_MAGNITUDE = 100.0
PITCH_AHEAD, PITCH_LAYERS = 3, 5


class CausalConv(nn.Conv1d):
    """Convolution over time after (kernel - 1) * dilation zeros; x [B, C, T]."""

    def forward(self, x: Tensor) -> Tensor:
        past = (self.kernel_size[0] - 1) * self.dilation[0]
        return self._conv_forward(nn.functional.pad(x, (past, 0)), self.weight, self.bias)


class DownConv(nn.Conv1d):
    """Strided convolution after stride - 1 zeros."""

    def forward(self, x: Tensor) -> Tensor:
        return self._conv_forward(nn.functional.pad(x, (self.stride[0] - 1, 0)), self.weight, self.bias)


class Snake(nn.Module):
    """x + sin^2(a x) / a."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        alpha = self.alpha[None, :, None]
        wave = torch.sin(x * alpha)
        return x + wave * wave / (alpha + 1e-9)


class ResidualBlock(nn.Module):
    """Pairs of causal convolutions, the first of each dilated."""

    def __init__(self, channels: int, kernel: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(CausalConv(channels, channels, kernel, dilation=step) for step in dilations)
        self.convs2 = nn.ModuleList(CausalConv(channels, channels, kernel) for _ in dilations)
        self.activations1 = nn.ModuleList(Snake(channels) for _ in dilations)
        self.activations2 = nn.ModuleList(Snake(channels) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        for first, second, before, between in zip(self.convs1, self.convs2, self.activations1, self.activations2, strict=True):
            x = x + second(between(first(before(x))))
        return x


class PitchPredictor(nn.Module):
    """mel [B, T + 3, M] to the fundamental frequency in Hz, [B, T]."""

    def __init__(self, config: HiftConfig) -> None:
        super().__init__()
        width = config.pitch_width
        convs: list[nn.Module] = [nn.Conv1d(config.mel, width, PITCH_AHEAD + 1), nn.ELU()]
        for _ in range(PITCH_LAYERS - 1):
            convs += [CausalConv(width, width, 3), nn.ELU()]
        self.condnet = nn.Sequential(*convs)
        self.classifier = nn.Linear(width, 1)

    def forward(self, mel: Tensor) -> Tensor:
        pitch: Tensor = self.classifier(self.condnet(mel.transpose(1, 2)).transpose(1, 2))
        return pitch[..., 0].abs()


class HarmonicSource(nn.Module):
    """Harmonics of the pitch and noise, mixed to one signal."""

    def __init__(self, config: HiftConfig) -> None:
        super().__init__()
        self.l_linear = nn.Linear(config.harmonics + 1, 1)
        self.config = config

    def forward(self, phases: Tensor, voiced: Tensor, noise: Tensor) -> Tensor:
        """phases in cycles [B, T, H], voiced 0 or 1 [B, T], noise [B, T * hop, H] to samples [B, T * hop]."""
        config = self.config
        sines = config.sine_level * torch.sin(2 * math.pi * phases) * voiced[..., None]
        level = voiced * config.noise_level + (1 - voiced) * config.sine_level / 3
        batch, frames, harmonics = phases.shape
        shaped = noise.reshape(batch, frames, config.hop, harmonics) * level[..., None, None] + sines[:, :, None]
        return torch.tanh(self.l_linear(shaped))[..., 0].reshape(batch, frames * config.hop)


class Waveform(nn.Module):
    """mel [B, T + lookahead, M] and source to samples [B, T * hop]."""

    analysis: Tensor
    synthesis: Tensor
    envelope: Tensor

    def __init__(self, config: HiftConfig) -> None:
        super().__init__()
        self.config = config
        self.m_source = HarmonicSource(config)
        self.conv_pre = nn.Conv1d(config.mel, config.channels, config.lookahead + 1)
        self.ups, self.source_downs, self.source_resblocks, self.resblocks = (nn.ModuleList() for _ in range(4))
        for stage, (rate, kernel) in enumerate(zip(config.rates, config.up_kernels, strict=True)):
            width = config.channels >> (stage + 1)
            self.ups.append(CausalConv(2 * width, width, kernel))
            down = math.prod(config.rates[stage + 1:])
            self.source_downs.append(nn.Conv1d(config.bins, width, 1) if down == 1 else
                                     DownConv(config.bins, width, 2 * down, down))
            self.source_resblocks.append(ResidualBlock(width, config.source_kernels[stage], config.source_dilations[stage]))
            for size, dilations in zip(config.kernels, config.dilations, strict=True):
                self.resblocks.append(ResidualBlock(width, size, dilations))
            del rate
        self.conv_post = CausalConv(config.channels >> len(config.rates), config.bins, 7)
        for name, basis in zip(("analysis", "synthesis", "envelope"), fourier_bases(config.fft), strict=True):
            self.register_buffer(name, basis, persistent=False)

    def forward(self, mel: Tensor, phases: Tensor, voiced: Tensor, noise: Tensor) -> Tensor:
        """Samples float32 [B, T * hop] between -limit and limit."""
        config = self.config
        spectrum = self.transform(self.m_source(phases, voiced, noise))
        x, kinds = self.conv_pre(mel.transpose(1, 2)), len(config.kernels)
        for stage, rate in enumerate(config.rates):
            x = self.ups[stage](spread(nn.functional.leaky_relu(x, config.slope), rate))
            if stage == len(config.rates) - 1:
                x = torch.cat((x[:, :, 1:2], x), 2)
            x = x + self.source_resblocks[stage](self.source_downs[stage](spectrum))
            blocks = [block(x) for block in self.resblocks[stage * kinds:(stage + 1) * kinds]]
            x = torch.stack(blocks).sum(0) / kinds
        return self.inverse(self.conv_post(nn.functional.leaky_relu(x))).clamp(-config.limit, config.limit)

    def transform(self, samples: Tensor) -> Tensor:
        """Real and imaginary parts [B, fft + 2, 1 + T / step] of the STFT, edges mirrored."""
        half = self.config.fft // 2
        mirror = torch.arange(half - 1, -1, -1, device=samples.device)
        padded = torch.cat((samples[:, 1:half + 1][:, mirror], samples, samples[:, -half - 1:-1][:, mirror]), 1)
        return nn.functional.conv1d(padded[:, None], self.analysis, stride=self.config.step)

    def inverse(self, x: Tensor) -> Tensor:
        """Log magnitude and phase [B, fft + 2, 1 + T / step] to samples [B, T], overlap-added."""
        half = self.config.fft // 2
        magnitude = torch.exp(x[:, :half + 1]).clamp(max=MAX_MAGNITUDE)
        phase = torch.sin(x[:, half + 1:])
        parts = torch.cat((magnitude * phase.cos(), magnitude * phase.sin()), 1)
        summed = nn.functional.conv_transpose1d(parts, self.synthesis, stride=self.config.step)
        weight = nn.functional.conv_transpose1d(torch.ones_like(parts[:1, :1]), self.envelope, stride=self.config.step)
        return (summed / weight.clamp(min=1e-11))[:, 0, half:-half]


def fourier_bases(size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Kernels of a windowed DFT [size + 2, 1, size], of its inverse (same shape), and of the window's square [1, 1, size]."""
    steps = torch.arange(size, dtype=torch.float64)
    window = 0.5 - 0.5 * torch.cos(2 * math.pi * steps / size)
    angles = 2 * math.pi * torch.arange(size // 2 + 1, dtype=torch.float64)[:, None] * steps / size
    twice = torch.full((size // 2 + 1, 1), 2.0, dtype=torch.float64)
    twice[0] = twice[-1] = 1.0
    analysis = torch.cat((angles.cos(), -angles.sin())) * window
    synthesis = torch.cat((twice * angles.cos(), -twice * angles.sin())) * window / size
    return analysis[:, None].float(), synthesis[:, None].float(), (window * window)[None, None].float()


def spread(x: Tensor, rate: int) -> Tensor:
    """Each step of x [B, C, T] `rate` times."""
    batch, channels, length = x.shape
    return x[..., None].expand(batch, channels, length, rate).reshape(batch, channels, length * rate)
