"""The embedded voice's decoder, codec tokens to samples, causal but for a few tokens of lookahead, its state explicit.

Every convolution keeps its last inputs in one flat state vector, so a stream of any chunking gives the samples of one call.
Trained in two steps on one trunk: first with a mel head (the codec's decoder), then with the harmonic head.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.encoders import fsq_digits
from export.model.harmonic import HarmonicHead
from export.model.spectral.vocoder import SpectralVocoder
from export.model.state import StateReader


class CausalConvNeXt(nn.Module):
    """Depthwise causal convolution over time, LayerNorm, two pointwise maps; x [B, T, C]."""

    def __init__(self, width: int, kernel: int, expansion: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-6)
        self.up = nn.Linear(width, expansion * width)
        self.gelu = nn.GELU()
        self.down = nn.Linear(expansion * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))
        self.past = kernel - 1

    def forward(self, x: Tensor, state: StateReader) -> Tensor:
        mixed = self.depthwise(state.extend(x, self.past).transpose(1, 2)).transpose(1, 2)
        return x + self.scale * self.down(self.gelu(self.up(self.norm(mixed))))


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


class StreamingVocoder(nn.Module):
    """Trunk and harmonic head: the `vocoder` graph of the embedded voice."""

    def __init__(self, config: VocoderConfig, speaker: int) -> None:
        super().__init__()
        self.config = config
        self.trunk = DecoderTrunk(config, speaker)
        self.head = HarmonicHead(config)

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


Vocoder = StreamingVocoder | SpectralVocoder


def build_vocoder(config: VocoderConfig, speaker: int) -> Vocoder:
    """Return an untrained decoder of the configured kind; `speaker`: width of a speaker embedding."""
    return SpectralVocoder(config, speaker) if config.kind == "spectral" else StreamingVocoder(config, speaker)
