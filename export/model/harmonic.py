"""The waveform head: a harmonic source at the predicted pitch and noise, each through a predicted filter, overlap-added.

The source carries the phase from frame to frame, so the network predicts smooth spectra only and never has to invent the
phases of harmonics. A head of free magnitudes and phases needed 1,200 steps for the spectral loss that this one had in 200.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.state import StateReader

LOWEST, HIGHEST = 50.0, 400.0
"""Hz of the pitch that the source can have."""
NOISE_HOPS = 400
"""Hops of the noise table, which is read round and round: 4 s at 100 Hz."""
SOURCE_GAIN = 3.0
LOUDEST = 6.0
"""Upper limit of a filter's log-magnitude."""


class HarmonicHead(nn.Module):
    """Frames [B, F, C] to samples float32 [B, F * hop]; windows are two hops long.

    A frame's window sounds in the hop that leaves with it and in the next one; the trunk's lookahead pays for that hop.
    """

    forward_dft: Tensor
    inverse_dft: Tensor
    noise: Tensor
    places: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.hop, self.sample_rate = config.hop, config.sample_rate
        self.bins = config.hop + 1
        self.filters = nn.Linear(config.frame_width, 3 * self.bins)
        self.pitch = nn.Linear(config.frame_width, 1)
        self._initialise()
        forward, inverse = dft_matrices(2 * config.hop)
        self.register_buffer("forward_dft", forward, persistent=False)
        self.register_buffer("inverse_dft", inverse, persistent=False)
        table = torch.randn(NOISE_HOPS * config.hop, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", table.reshape(NOISE_HOPS, config.hop), persistent=False)
        self.register_buffer("places", torch.arange(config.hop), persistent=False)

    @torch.no_grad()
    def _initialise(self) -> None:
        """Begin near a quiet voice with a little noise, at a middle pitch."""
        for linear in (self.filters, self.pitch):
            linear.weight.mul_(0.1)
            linear.bias.zero_()
        self.filters.bias[:self.bins] = -1.0
        self.filters.bias[2 * self.bins:] = -4.0

    @property
    def state_size(self) -> int:
        """Floats of state: phase, last pitch, place in the noise, last hops of source, noise and output."""
        return 3 + 3 * self.hop

    def pitch_of(self, frames: Tensor) -> Tensor:
        """Hz, float32 [B, F]: what the source plays one hop after each frame."""
        share = torch.sigmoid(self.pitch(frames)[..., 0].float())
        return LOWEST * torch.exp(share * math.log(HIGHEST / LOWEST))

    def forward(self, frames: Tensor, state: StateReader, pitch: Tensor | None = None) -> Tensor:
        """Samples; training plays the teacher's `pitch` [B, F] instead of the predicted one."""
        harmonic, noise = self._sources(self.pitch_of(frames) if pitch is None else pitch, state)
        gains, angles, breaths = self.filters(frames).float().chunk(3, dim=-1)
        gains, breaths = gains.clamp(max=LOUDEST).exp(), breaths.clamp(max=LOUDEST).exp()
        real, imaginary = gains * angles.cos(), gains * angles.sin()
        (a, b), (c, d) = self._spectrum(harmonic, state), self._spectrum(noise, state)
        shaped = torch.cat((a * real - b * imaginary + c * breaths, a * imaginary + b * real + d * breaths), -1)
        first, second = (shaped @ self.inverse_dft.float()).chunk(2, dim=-1)
        tails = state.extend(second, 1)[:, :-1]
        return (tails + first).flatten(1)

    def _sources(self, pitch: Tensor, state: StateReader) -> tuple[Tensor, Tensor]:
        """Sawtooth whose pitch glides from each frame's to the next, and noise: two of [B, F, hop]."""
        phase = state.take(1)
        before = torch.cat((state.take(1), pitch[:, :-1]), 1)
        advance = (before + pitch) * (0.5 * self.hop / self.sample_rate)
        frames = torch.arange(pitch.shape[1], device=pitch.device)
        # A running sum as a product: a CumSum is a loop to TensorRT. Chunks are some hundred frames.
        ends = phase + (advance - advance.floor()) @ (frames[:, None] <= frames).float()
        starts = torch.cat((phase, ends[:, :-1]), 1)
        state.put(ends[:, -1:] - ends[:, -1:].floor())
        state.put(pitch[:, -1:])
        ramp = self.places.float() / self.hop
        glide = before[..., None] * ramp + (pitch - before)[..., None] * (ramp.square() * 0.5)
        turns = (starts - starts.floor())[..., None] + glide * (self.hop / self.sample_rate)
        sawtooth = rounded_sawtooth(turns, pitch[..., None] / self.sample_rate) * SOURCE_GAIN
        hops = state.take(1) + frames
        hops = hops - (hops / NOISE_HOPS).floor() * NOISE_HOPS
        following = hops[:, -1:] + 1
        state.put(torch.where(following >= NOISE_HOPS, torch.zeros_like(following), following))
        return sawtooth, nn.functional.embedding(hops.long(), self.noise).float()

    def _spectrum(self, source: Tensor, state: StateReader) -> tuple[Tensor, Tensor]:
        """Real and imaginary parts [B, F, bins] of each hop with the one before it."""
        hops = state.extend(source, 1)
        real, imaginary = (torch.cat((hops[:, :-1], hops[:, 1:]), -1) @ self.forward_dft.float()).chunk(2, dim=-1)
        return real, imaginary


def rounded_sawtooth(turns: Tensor, step: Tensor) -> Tensor:
    """-1..1 over each turn, its jump rounded over one sample before and after (PolyBLEP): hardly any aliasing, and a rounding
    error of the phase stays a small error of the samples. `step` is a sample's share of a turn."""
    place = turns - turns.floor()
    after = (1 - place / step).clamp(min=0)
    ahead = (1 - (1 - place) / step).clamp(min=0)
    return place * 2 - 1 + after.square() - ahead.square()


def dft_matrices(n_fft: int) -> tuple[Tensor, Tensor]:
    """Windowed real DFT [n_fft, 2 * bins] and its windowed inverse [2 * bins, n_fft]; root-Hann windows, so that frames half
    a window apart add up to the input."""
    bins = n_fft // 2 + 1
    places = torch.arange(n_fft, dtype=torch.float64)
    angles = 2 * math.pi * places[:, None] * torch.arange(bins, dtype=torch.float64) / n_fft
    window = torch.hann_window(n_fft, dtype=torch.float64).sqrt()
    weights = torch.full((bins, 1), 2.0, dtype=torch.float64)
    weights[0] = weights[-1] = 1.0
    forward = torch.cat((angles.cos(), -angles.sin()), 1) * window[:, None] / n_fft**0.5
    inverse = torch.cat((weights * angles.cos().t(), -weights * angles.sin().t())) / n_fft**0.5 * window
    return forward.float(), inverse.float()
