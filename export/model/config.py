"""Sizes of every part, as frozen msgspec structs: they are what `config.json` of a checkpoint holds."""

from __future__ import annotations

import math
from typing import Literal

import msgspec


class BackboneConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Qwen2-type decoder: grouped-query attention with biases on q, k, v; SwiGLU; RMSNorm; rotary positions."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    rope_theta: float
    norm_eps: float = 1e-6


class CompressorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Token-to-patch compressor (paper, Table 7): one local layer over tokens, one cross-attention from patches."""

    heads: int
    cross_heads: int
    intermediate: int
    window: int = 16


class ExtractorConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Speaker-conditioned patch-to-token extractor (paper, Table 7)."""

    layers: int
    heads: int
    cross_heads: int
    intermediate: int
    slots: int = 4


class VocabularyConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codec codes come first; any id from `codes` on ends the speech when it is sampled."""

    codes: int
    size: int
    sos: int
    eos: int
    task: int
    text: int
    """Rows of the text embedding."""


class PositionConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rotary positions of the global sequence.

    With `speech_start` unset the sequence is counted through: prefix, then patches, one position each (CosyVoice3). With it
    set, prefix element i has position `i * text_stride` and patch i (from 0) at `speech_start + i * patch`, the task token one
    patch before: speech and the text being spoken are then near each other, which a small backbone needs to align them.
    """

    text_stride: float = 1.0
    speech_start: float | None = None


class VocoderConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An embedded voice's streaming waveform decoder: causal ConvNeXt at token rate, then at frame rate, then iSTFT."""

    sample_rate: int
    hop: int
    frames_per_token: int
    token_width: int
    token_blocks: int
    frame_width: int
    frame_blocks: int
    expansion: int = 3
    kernel: int = 7
    lookahead: int = 3
    """Tokens of future that a sample may depend on."""
    levels: int = 3
    digits: int = 8
    kind: Literal["harmonic", "spectral"] = "harmonic"
    """`export.model.vocoder` or `export.model.spectral.vocoder`."""

    @property
    def samples_per_token(self) -> int:
        return self.hop * self.frames_per_token


class FlowConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CosyVoice3's flow matching: token encoder and diffusion transformer."""

    codes: int
    mel: int
    speaker: int
    encoder_width: int
    lookahead: int
    """Tokens of future that the encoder sees."""
    width: int
    layers: int
    heads: int
    head_dim: int
    intermediate: int
    kernel: int
    groups: int
    frames_per_token: int = 2
    chunk_tokens: int = 25
    """Frames attend to their own chunk of this many tokens and to those before it."""
    steps: int = 10
    guidance: float = 0.7


class HiftConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """CosyVoice3's waveform decoder."""

    mel: int
    sample_rate: int
    channels: int
    pitch_width: int
    harmonics: int
    lookahead: int
    """Frames of future that the first convolution sees."""
    rates: tuple[int, ...]
    up_kernels: tuple[int, ...]
    kernels: tuple[int, ...]
    dilations: tuple[tuple[int, ...], ...]
    source_kernels: tuple[int, ...]
    source_dilations: tuple[tuple[int, ...], ...]
    fft: int = 16
    step: int = 4
    slope: float = 0.1
    limit: float = 0.99
    sine_level: float = 0.1
    noise_level: float = 0.003
    voiced_above: float = 10.0

    @property
    def hop(self) -> int:
        """Samples a frame."""
        return math.prod(self.rates) * self.step

    @property
    def bins(self) -> int:
        """Real and imaginary parts of one spectrum."""
        return self.fft + 2

    @property
    def look_back(self) -> int:
        """Frames to the left that a sample may depend on, rounded up: the deepest path through every stage."""
        frames, steps = 0.0, 1
        for stage, (rate, kernel) in enumerate(zip(self.rates, self.up_kernels, strict=True)):
            steps *= rate
            source = reach(self.source_kernels[stage], self.source_dilations[stage])
            deepest = max(reach(size, dilations) for size, dilations in zip(self.kernels, self.dilations, strict=True))
            frames += (max(kernel - 1, source + 2) + deepest) / steps
        return math.ceil(frames + (6 + 2 * self.fft // self.step) / steps) + 1


def reach(kernel: int, dilations: tuple[int, ...]) -> int:
    """Steps to the left that a residual block sees."""
    return sum((kernel - 1) * (dilation + 1) for dilation in dilations)


class ModelConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One TLDR model; `patch` = 1 with no compressor and no extractor is the token-level baseline."""

    name: str
    patch: int
    token_rate: float
    speaker: int
    """Width of a speaker embedding."""
    vocabulary: VocabularyConfig
    positions: PositionConfig
    backbone: BackboneConfig
    compressor: CompressorConfig
    extractor: ExtractorConfig
    vocoder: VocoderConfig | None = None
    lora_rank: int = 64
    lora_alpha: int = 64


def cosyvoice3(patch: int = 4) -> ModelConfig:
    """Table 7 on CosyVoice3's Qwen2-0.5B: 136.2 M trainable parameters at any patch size."""
    return ModelConfig(
        name="cosyvoice3-0.5b", patch=patch, token_rate=25.0, speaker=192,
        vocabulary=VocabularyConfig(codes=6561, size=6761, sos=6561, eos=6562, task=6563, text=151936),
        positions=PositionConfig(),
        backbone=BackboneConfig(layers=24, hidden=896, heads=14, kv_heads=2, head_dim=64, intermediate=4864, rope_theta=1e6),
        compressor=CompressorConfig(heads=8, cross_heads=4, intermediate=3584),
        extractor=ExtractorConfig(layers=4, heads=8, cross_heads=4, intermediate=3584),
    )


EMBEDDED_VOCODER = VocoderConfig(sample_rate=24_000, hop=240, frames_per_token=4, token_width=256, token_blocks=4,
                                 frame_width=256, frame_blocks=6)

SPECTRAL_VOCODER = VocoderConfig(sample_rate=24_000, hop=320, frames_per_token=3, token_width=256, token_blocks=2,
                                 frame_width=256, frame_blocks=8, kind="spectral")


def embedded(patch: int = 4) -> ModelConfig:
    """The small voice that ships with the toolkit."""
    return ModelConfig(
        name="embedded", patch=patch, token_rate=25.0, speaker=64,
        vocabulary=VocabularyConfig(codes=6561, size=6564, sos=6561, eos=6562, task=6563, text=64),
        positions=PositionConfig(text_stride=1.75, speech_start=0.0 if patch == 1 else (patch - 1) / 2),
        backbone=BackboneConfig(layers=6, hidden=192, heads=6, kv_heads=3, head_dim=32, intermediate=576, rope_theta=1e4),
        compressor=CompressorConfig(heads=6, cross_heads=3, intermediate=512),
        extractor=ExtractorConfig(layers=3, heads=6, cross_heads=3, intermediate=512),
        vocoder=EMBEDDED_VOCODER,
    )


PRESETS = {"cosyvoice3-0.5b": cosyvoice3, "embedded": embedded}
