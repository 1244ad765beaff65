"""The embedded voice's decoder: codec tokens to acoustic features, those to spectra, and those to samples, with explicit state.

A token trunk at 25 Hz predicts features (text vectors, F0, energy) for three frames per token. A stack of ConvNeXt blocks at
75 Hz, nearly causal, maps them to a harmonic filter and a residual spectrum per frame. The waveform is the inverse STFT of a
pulse train at the predicted F0 through that filter plus the residual: window 1200, hop 320 samples.

All voices are one teacher's. A speaker embedding gives two numbers: the factor of F0, both in the features that the stack reads
and in the source, and the share of a warp of the magnitudes along frequency, as by a longer vocal tract.

Timing in frames: with `lookahead` tokens in all, `trunk_lookahead` of them in the trunk, the features of a step are those of
`FUTURE` frames after the frame whose spectrum the step emits.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.encoders import fsq_digits
from export.model.spectral.fourier import BINS, POINTS, RealDFT
from export.model.state import StateReader

TEXT_WIDTH = 128
FEATURES = TEXT_WIDTH + 2
"""Text vector, scaled log F0, energy."""
FFT = POINTS
"""Samples of a window."""
FUTURES = (3, 1, 1, 0, 0, 0, 0, 0, 0)
"""Future frames that each layer of the frame stack sees: the first convolution, then the blocks."""
FUTURE = sum(FUTURES)
PITCH_AHEAD = 2
"""Frames after the current one whose F0 the pulses under the current window need."""
TRUNK_LOOKAHEAD = 1
LOWEST, HIGHEST = 60.0, 500.0
"""Hz that the predicted F0 is clamped to."""
VOICED = 40.0
"""Hz below which the source is silent."""
TOP = 11_000.0
"""Hz of the highest harmonic."""
LOUDEST = 7.0
PULSE_SCALE = 4 / FFT
"""A cosine of this amplitude has 1 in its bin under the window."""
PITCH_SCALE = 5.0
"""The decoder reads log F0 divided by this, in feature TEXT_WIDTH."""
WARP = 0.9
"""Frequencies of a fully warped spectrum relative to the teacher's."""


class NearlyCausalBlock(nn.Module):
    """ConvNeXt block over frames, x [B, F, C], delayed by `future` frames so that its kernel may see these."""

    def __init__(self, width: int, kernel: int, expansion: int, future: int = 0) -> None:
        super().__init__()
        self.dw = nn.Conv1d(width, width, kernel, groups=width)
        self.norm = nn.LayerNorm(width, eps=1e-5)
        self.pw1 = nn.Linear(width, expansion * width)
        self.gelu = nn.GELU()
        self.pw2 = nn.Linear(expansion * width, width)
        self.gamma = nn.Parameter(torch.full((width,), 0.1))
        self.past, self.future = kernel - 1, future

    def forward(self, x: Tensor, state: StateReader) -> Tensor:
        known = state.extend(x, self.past)
        mixed = self.dw(known.transpose(1, 2)).transpose(1, 2)
        present = known[:, self.past - self.future:known.shape[1] - self.future]
        return present + self.gamma * self.pw2(self.gelu(self.pw1(self.norm(mixed))))


class TokenTrunk(nn.Module):
    """FSQ digits [B, T, 8] to normalised features [B, 3 T, 130] and pitch [B, 3 T, 2] (voicing logit, log F0), TRUNK_LOOKAHEAD
    tokens late."""

    def __init__(self, config: VocoderConfig, speaker: int) -> None:
        super().__init__()
        self.frames, width = config.frames_per_token, config.token_width
        self.embed = nn.Linear(config.digits, width)
        self.speaker = nn.Linear(speaker, width, bias=False)
        self.ahead = nn.Conv1d(width, width, 2 * TRUNK_LOOKAHEAD + 1)
        self.blocks = nn.ModuleList(NearlyCausalBlock(width, config.kernel, config.expansion)
                                    for _ in range(config.token_blocks))
        self.norm = nn.LayerNorm(width, eps=1e-5)
        self.leave = nn.Linear(width, self.frames * (FEATURES + 2))
        nn.init.normal_(self.speaker.weight, std=0.02)

    def forward(self, digits: Tensor, present: Tensor, speaker: Tensor, state: StateReader) -> tuple[Tensor, Tensor]:
        return self.features(self.hidden(digits, present, speaker, state))

    def hidden(self, digits: Tensor, present: Tensor, speaker: Tensor, state: StateReader) -> Tensor:
        """Normalised hidden states [B, T, C] of tokens; `present` bool [B, T] is false after an utterance's end."""
        embedded = self.embed(digits) + self.speaker(speaker)[:, None]
        x = torch.where(present[..., None], embedded, torch.zeros_like(embedded))
        x = self.ahead(state.extend(x, 2 * TRUNK_LOOKAHEAD).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x, state)
        normed: Tensor = self.norm(x)
        return normed

    def features(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Features and pitch of hidden states."""
        left = self.leave(hidden)
        frames = left.reshape(left.shape[0], left.shape[1] * self.frames, FEATURES + 2)
        return frames[..., :FEATURES], frames[..., FEATURES:]


class FrameStack(nn.Module):
    """Normalised features [B, F, 130] to normalised hidden states [B, F, C], FUTURE frames late."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, config: VocoderConfig, speaker: int) -> None:
        super().__init__()
        width = config.frame_width
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))
        self.dec_in = nn.Conv1d(FEATURES, width, config.kernel)
        self.speaker = nn.Linear(speaker, width, bias=False)
        self.dec = nn.ModuleList(NearlyCausalBlock(width, config.kernel, config.expansion, future) for future in FUTURES[1:])
        self.dec_norm = nn.LayerNorm(width, eps=1e-5)
        self.past = config.kernel - 1
        nn.init.zeros_(self.speaker.weight)

    def forward(self, features: Tensor, speaker: Tensor, state: StateReader) -> Tensor:
        features = features * self.deviation + self.mean
        features = features.to(self.dec_in.weight.dtype)
        x = self.dec_in(state.extend(features, self.past).transpose(1, 2)).transpose(1, 2) + self.speaker(speaker)[:, None]
        for block in self.dec:
            x = block(x, state)
        normed: Tensor = self.dec_norm(x)
        return normed


class VoiceChange(nn.Module):
    """Speaker embedding [B, Es] to the change of the teacher's voice: log of the F0 factor and share of the warp, [B, 1]."""

    def __init__(self, speaker: int) -> None:
        super().__init__()
        self.map = nn.Linear(speaker, 2, bias=False)
        nn.init.zeros_(self.map.weight)

    def forward(self, speaker: Tensor) -> tuple[Tensor, Tensor]:
        factor, share = self.map(speaker).float().chunk(2, dim=-1)
        return factor, share.clamp(0, 1)

    @torch.no_grad()
    def set_voices(self, speakers: Tensor, changes: Tensor) -> None:
        """Solve for the smallest map that gives linearly independent speakers [N, Es] their changes [N, 2]."""
        self.map.weight.copy_((torch.linalg.pinv(speakers.double()) @ changes.double()).T)


class SpectralHead(nn.Module):
    """Hidden states [B, F, C] and F0 [B, F] of PITCH_AHEAD frames later to samples [B, F * hop].

    A step emits the hop that begins 600 samples before the centre of its frame: everything under later windows is after it.
    """

    window: Tensor
    overlap: Tensor
    weights: Tensor
    places: Tensor
    warp: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.hop, self.sample_rate = config.hop, config.sample_rate
        self.blocks = -(-FFT // config.hop)
        self.head = nn.Linear(config.frame_width, 4 * BINS)
        self.transform = RealDFT()
        window, overlap = windows(config.hop)
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("overlap", overlap, persistent=False)
        weights = torch.full((BINS,), 2.0 / FFT)
        weights[0] = weights[-1] = 1.0 / FFT
        self.register_buffer("weights", weights, persistent=False)
        self.register_buffer("places", torch.arange(config.hop, dtype=torch.float32), persistent=False)
        self.register_buffer("warp", (torch.arange(BINS) / WARP).round().long().clamp(max=BINS - 1), persistent=False)

    @property
    def source_past(self) -> int:
        """Pulse samples kept from earlier steps."""
        return FFT // 2 + (2 * PITCH_AHEAD - 1) * self.hop // 2

    @property
    def state_size(self) -> int:
        """Floats of state: phase, last F0, last source samples, output of the last windows."""
        return 2 + self.source_past + (self.blocks - 1) * self.blocks // 2 * self.hop

    def spectra(self, hidden: Tensor) -> tuple[Tensor, ...]:
        """Harmonic log-magnitude and phase (before tanh), residual log-magnitude and phase, each [B, F, 601], float32."""
        return self.head(hidden).float().chunk(4, dim=-1)

    def forward(self, hidden: Tensor, pitch: Tensor, state: StateReader, share: Tensor | None = None) -> Tensor:
        """`share` [B, 1]: of the warp of magnitudes; None: none. Phases are not warped, as they belong to F0 and hop."""
        source = self._windows(self._pulses(pitch, state), state)
        gain, angle, residual, phase = self.spectra(hidden)
        if share is not None:
            gain, residual = (each + share[..., None] * (each[..., self.warp] - each) for each in (gain, residual))
        real, imaginary = self.transform(source * self.window)
        gain, angle = gain.clamp(max=LOUDEST).exp(), math.pi * angle.tanh()
        residual = residual.clamp(max=LOUDEST).exp()
        a, b = gain * angle.cos(), gain * angle.sin()
        shaped = (a * real - b * imaginary + residual * phase.cos(), a * imaginary + b * real + residual * phase.sin())
        frames = self.transform.inverse(shaped[0] * self.weights, shaped[1] * self.weights)
        padded = nn.functional.pad(frames, (0, self.blocks * self.hop - FFT)) * self.overlap
        first, *later = padded.chunk(self.blocks, dim=-1)
        for late, each in enumerate(later, 1):
            first = first + state.extend(each, late)[:, :each.shape[1]]
        return first.flatten(1)

    def _pulses(self, pitch: Tensor, state: StateReader) -> Tensor:
        """Band-limited pulses [B, F, hop] whose F0 glides from one frame's to the next."""
        phase = state.take(1)
        before = torch.cat((state.take(1), pitch[:, :-1]), 1)
        advance = (before + pitch) * (0.5 * self.hop / self.sample_rate)
        frames = torch.arange(pitch.shape[1], device=pitch.device)
        # A running sum as a product: a CumSum is a loop to TensorRT.
        ends = phase + (advance - advance.floor()) @ (frames[:, None] <= frames).float()
        starts = torch.cat((phase, ends[:, :-1]), 1)
        state.put(ends[:, -1:] - ends[:, -1:].floor())
        state.put(pitch[:, -1:])
        change, done = (pitch - before)[..., None], self.places + 1
        now = before[..., None] + change * ((self.places + 0.5) / self.hop)
        gone = before[..., None] * done + change * (done.square() * (0.5 / self.hop))
        turns = (starts - starts.floor())[..., None] + gone / self.sample_rate
        angle = (turns - turns.floor()) * (2 * math.pi)
        orders = (TOP / now.clamp(min=LOWEST)).floor() + 0.5
        below = 2 * (angle * 0.5).sin()
        near = below.abs() <= 2e-3
        pulses = torch.where(near, orders, (orders * angle).sin() / torch.where(near, torch.ones_like(below), below)) - 0.5
        return torch.where(now > VOICED, pulses * PULSE_SCALE, torch.zeros_like(pulses))

    def _windows(self, pulses: Tensor, state: StateReader) -> Tensor:
        """Pulses under each frame's window: [B, F, 1200]."""
        known = state.extend(pulses.flatten(1)[..., None], self.source_past).squeeze(-1)  # an index would be a slow Gather
        frames = pulses.shape[1]
        hops = known[:, :(frames + self.blocks - 1) * self.hop].reshape(known.shape[0], frames + self.blocks - 1, self.hop)
        return torch.cat([hops[:, each:each + frames] for each in range(self.blocks)], -1)[..., :FFT]


def windows(hop: int) -> tuple[Tensor, Tensor]:
    """Hann window [1200], and that of synthesis [blocks * hop]: zero-padded, divided by the sum of overlapping squares."""
    blocks = -(-FFT // hop)
    window = 0.5 - 0.5 * torch.cos(2 * math.pi * torch.arange(FFT, dtype=torch.float64) / FFT)
    padded = nn.functional.pad(window, (0, blocks * hop - FFT))
    return window.float(), (padded / padded.square().reshape(blocks, hop).sum(0).repeat(blocks)).float()


class SpectralVocoder(nn.Module):
    """Trunk, frame stack and head: the `vocoder` graph of the embedded voice."""

    digits: Tensor
    pitch_column: Tensor

    def __init__(self, config: VocoderConfig, speaker: int) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("digits", fsq_digits(config.levels, config.digits), persistent=False)
        self.change = VoiceChange(speaker)
        self.trunk = TokenTrunk(config, speaker)
        self.stack = FrameStack(config, speaker)
        self.head = SpectralHead(config)
        self.register_buffer("pitch_column", (torch.arange(FEATURES) == TEXT_WIDTH).float(), persistent=False)
        self.pitch_late = FUTURE - PITCH_AHEAD

    @property
    def state_size(self) -> int:
        """Floats of state of one row; zeros at the start of an utterance."""
        config, past = self.config, self.config.kernel - 1
        return (2 * TRUNK_LOOKAHEAD * config.token_width + config.token_blocks * past * config.token_width + past * FEATURES
                + config.frame_blocks * past * config.frame_width + self.pitch_late + self.head.state_size)

    def forward(self, tokens: Tensor, speaker: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """tokens int64 [B, T] (negative: none), speaker [B, Es], state [B, Z] to samples [B, T * 960] and the next state."""
        present = tokens >= 0
        digits = nn.functional.embedding(torch.where(present, tokens, 0), self.digits)
        reader = StateReader(state)
        samples = self.decode(digits, present, speaker, reader)
        return samples, reader.next_state()

    def decode(self, digits: Tensor, present: Tensor, speaker: Tensor, reader: StateReader) -> Tensor:
        """Samples from FSQ digits [B, T, 8], through which a codec's encoder trains."""
        features, pitch = self.trunk(digits, present, speaker, reader)
        factor, share = self.change(speaker)
        shift = torch.where(pitch[..., :1] > 0, factor[:, None], torch.zeros_like(factor[:, None]))
        pitch = torch.cat((pitch[..., :1], pitch[..., 1:] + shift), -1)
        features = features + shift * (self.pitch_column / (PITCH_SCALE * self.stack.deviation))
        hidden = self.stack(features, speaker, reader)
        late = reader.extend(hertz(pitch)[..., None], self.pitch_late)[:, :pitch.shape[1]].squeeze(-1)
        return self.head(hidden, late, reader, share)

    def utterance(self, tokens: Tensor, speaker: Tensor) -> Tensor:
        """Samples [B, T * samples_per_token] of whole utterances, lookahead flushed and cut."""
        late = self.config.lookahead
        padded = nn.functional.pad(tokens, (0, late), value=-1)
        state = torch.zeros(tokens.shape[0], self.state_size, device=tokens.device)
        samples, _ = self.forward(padded, speaker, state)
        return samples[:, late * self.config.samples_per_token:]


def hertz(pitch: Tensor) -> Tensor:
    """F0 in Hz float32 [B, F] of voicing logits and log F0 [B, F, 2]; 0 where unvoiced."""
    voicing, log_pitch = pitch.float().unbind(-1)
    return torch.where(voicing > 0, log_pitch.clamp(math.log(LOWEST), math.log(HIGHEST)).exp(), torch.zeros_like(voicing))
