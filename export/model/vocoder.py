"""The embedded voice's decoder, codec tokens to samples, causal but for a few tokens of lookahead, its state explicit.

Every convolution keeps its last inputs in one flat state vector, so a stream of any chunking gives the samples of one call.
Trained in two steps on one trunk: first with a mel head (the codec's decoder), then with the waveform head.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig


class StateReader:
    """Hands out pieces of a flat state [B, Z] in order, and collects their successors."""

    def __init__(self, state: Tensor) -> None:
        self._state = state
        self._place = 0
        self._next: list[Tensor] = []

    def extend(self, x: Tensor, frames: int) -> Tensor:
        """`frames` earlier frames put before x [B, T, C]; the last `frames` of the result are kept for the next call."""
        batch, _, width = x.shape
        before = self._state[:, self._place:self._place + frames * width].reshape(batch, frames, width)
        self._place += frames * width
        joined = torch.cat((before.to(x.dtype), x), 1)
        self._next.append(joined[:, -frames:].reshape(batch, frames * width).float())
        return joined

    def next_state(self) -> Tensor:
        """[B, Z] for the next call."""
        return torch.cat(self._next, 1)


class CausalConvNeXt(nn.Module):
    """Depthwise causal convolution over time, LayerNorm, two pointwise maps; x [B, T, C]."""

    def __init__(self, width: int, kernel: int, expansion: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.up = nn.Linear(width, expansion * width)
        self.down = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))
        self.past = kernel - 1

    def forward(self, x: Tensor, state: StateReader) -> Tensor:
        mixed = self.depthwise(state.extend(x, self.past).transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.down(nn.functional.gelu(self.up(self.norm(mixed))))


class DecoderTrunk(nn.Module):
    """Tokens int64 [B, T] (NO_TOKEN = none) to frames [B, T * frames_per_token, C], `lookahead` tokens late."""

    digits: Tensor

    def __init__(self, config: VocoderConfig, speaker: int) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("digits", fsq_digits(config.levels, config.digits), persistent=False)
        self.embed = nn.Linear(config.digits, config.token_width)
        self.speaker = nn.Linear(speaker, config.token_width, bias=False)
        self.ahead = nn.Conv1d(config.token_width, config.token_width, 2 * config.lookahead + 1)
        self.token_blocks = nn.ModuleList(CausalConvNeXt(config.token_width, config.kernel, config.expansion)
                                          for _ in range(config.token_blocks))
        self.upsample = nn.Linear(config.token_width, config.frames_per_token * config.frame_width)
        self.frame_blocks = nn.ModuleList(CausalConvNeXt(config.frame_width, config.kernel, config.expansion)
                                          for _ in range(config.frame_blocks))
        self.norm = nn.LayerNorm(config.frame_width, eps=1e-6)

    @property
    def state_size(self) -> int:
        """Floats of state of one row, without the head's."""
        config, past = self.config, self.config.kernel - 1
        return (2 * config.lookahead * config.token_width + config.token_blocks * past * config.token_width
                + config.frame_blocks * past * config.frame_width)

    def forward(self, tokens: Tensor, speaker: Tensor, state: StateReader) -> Tensor:
        present = tokens >= 0
        digits = nn.functional.embedding(torch.where(present, tokens, 0), self.digits)
        return self.decode(digits, present, speaker, state)

    def decode(self, digits: Tensor, present: Tensor, speaker: Tensor, state: StateReader) -> Tensor:
        """The same from FSQ digits [B, T, 8], through which a codec's encoder trains; present bool [B, T]."""
        embedded = self.embed(digits) + self.speaker(speaker)[:, None]
        x = torch.where(present[..., None], embedded, torch.zeros_like(embedded))
        x = self.ahead(state.extend(x, 2 * self.config.lookahead).transpose(1, 2)).transpose(1, 2)
        for block in self.token_blocks:
            x = block(x, state)
        batch, length, _ = x.shape
        x = self.upsample(x).reshape(batch, length * self.config.frames_per_token, self.config.frame_width)
        for block in self.frame_blocks:
            x = block(x, state)
        normed: Tensor = self.norm(x)
        return normed


class WaveformHead(nn.Module):
    """Frames to samples: log-magnitude and phase of each frame, inverse DFT as a matrix product, overlap-add with a tail."""

    basis: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        self.bins = config.n_fft // 2 + 1
        self.project = nn.Linear(config.frame_width, 2 * self.bins)
        self.register_buffer("basis", inverse_dft(config.n_fft, config.hop), persistent=False)

    @property
    def overlaps(self) -> int:
        """Frames before the present one that still sound in its hop."""
        return self.config.n_fft // self.config.hop - 1

    @property
    def state_size(self) -> int:
        """Floats of state: the windowed tails of the last frames."""
        return self.overlaps * self.config.n_fft

    def forward(self, frames: Tensor, state: StateReader) -> Tensor:
        """Samples float32 [B, F * hop] of frames [B, F, C]."""
        magnitude, phase = self.project(frames).float().chunk(2, dim=-1)
        magnitude = magnitude.clamp(max=math.log(1e2)).exp()
        segments = torch.cat((magnitude * phase.cos(), magnitude * phase.sin()), -1) @ self.basis.float()
        joined = state.extend(segments, self.overlaps)
        batch, length, _ = frames.shape
        hop = self.config.hop
        hops = [joined[:, self.overlaps - age:self.overlaps - age + length, age * hop:(age + 1) * hop]
                for age in range(self.overlaps + 1)]
        return torch.stack(hops).sum(0).reshape(batch, length * hop)


class StreamingVocoder(nn.Module):
    """Trunk and waveform head: the `vocoder` graph of the embedded voice."""

    def __init__(self, config: VocoderConfig, speaker: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = DecoderTrunk(config, speaker)
        self.head = WaveformHead(config)

    @property
    def state_size(self) -> int:
        """Floats of state of one row; zeros at the start of an utterance."""
        return self.trunk.state_size + self.head.state_size

    def forward(self, tokens: Tensor, speaker: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """tokens [B, T], speaker [B, Es], state [B, Z] to samples [B, T * samples_per_token] and the next state."""
        reader = StateReader(state)
        samples = self.head(self.trunk(tokens, speaker, reader), reader)
        return samples, reader.next_state()

    def utterance(self, tokens: Tensor, speaker: Tensor) -> Tensor:
        """Samples [B, T * samples_per_token] of whole utterances, lookahead flushed and cut."""
        late = self.config.lookahead
        padded = nn.functional.pad(tokens, (0, late), value=-1)
        state = torch.zeros(tokens.shape[0], self.state_size, device=tokens.device)
        samples, _ = self.forward(padded, speaker, state)
        return samples[:, late * self.config.samples_per_token:]


def fsq_digits(levels: int, digits: int) -> Tensor:
    """Code to its FSQ digits in -1..1, float32 [levels ** digits, digits]; the first digit changes fastest."""
    codes = torch.arange(levels**digits)
    places = levels ** torch.arange(digits)
    return ((codes[:, None] // places) % levels).float() / ((levels - 1) / 2) - 1


def inverse_dft(n_fft: int, hop: int) -> Tensor:
    """Windowed inverse real DFT [2 * bins, n_fft] for stacked real and imaginary parts, scaled for overlap-add at `hop`."""
    bins = n_fft // 2 + 1
    angles = 2 * math.pi * torch.arange(bins, dtype=torch.float64)[:, None] * torch.arange(n_fft, dtype=torch.float64) / n_fft
    weights = torch.full((bins, 1), 2.0, dtype=torch.float64)
    weights[0] = weights[-1] = 1.0
    window = torch.hann_window(n_fft, dtype=torch.float64)
    scale = window / (window.square().sum() / hop)
    return (torch.cat((weights * angles.cos(), -weights * angles.sin())) / n_fft * scale * n_fft**0.5).float()
