"""Stage 3: the codec. Mel frames to 25 tokens a second of 6,561 codes (FSQ, 3 levels x 8 digits) and back to mels.

The encoder sees both sides and only trains and clones; the decoder's trunk is the vocoder's, causal and streaming. A second
head reads the teacher's phonemes off the digits, as CosyVoice's supervised tokens do: 317 bits a second are few, and what a
listener needs first is which sound it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.state import StateReader
from export.model.vocoder import DecoderTrunk
from export.tensors import assign, read_tensors, write_tensors
from training.blocks import ConvNeXt
from training.loop import fit, half, warm_cosine
from training.mel import BANDS, HOP
from training.optimizers import Optimizers
from training.teacher import DURATION_HOP

FRAME_WIDTH, ENCODER_WIDTH, PHONEME_WIDTH = 128, 320, 192
RATE = 2e-3
PHONEME_WEIGHT = 0.02
"""Of the phonemes' cross-entropy (about 1 nat) beside the L1 (about 0.05)."""
ENCODER = "encoder.safetensors"
CROP = 256
"""Mel frames of a training crop (2.56 s)."""


class FSQ(nn.Module):
    """Finite scalar quantisation: each digit bounded by tanh and rounded to -1, 0, 1, gradients passed straight through."""

    places: Tensor

    def __init__(self, levels: int, digits: int) -> None:
        super().__init__()
        self.reach = (levels - 1) / 2
        self.register_buffer("places", levels ** torch.arange(digits), persistent=False)

    def forward(self, z: Tensor) -> Tensor:
        """Digits [..., 8] as float multiples of 1 / half, differentiable."""
        bounded = torch.tanh(z) * (self.reach + 0.499)
        return (bounded + (bounded.round() - bounded).detach()) / self.reach

    def codes(self, digits: Tensor) -> Tensor:
        """Digits [..., 8] to codes int64 [...]."""
        return ((digits * self.reach + self.reach).round().long() * self.places).sum(-1)


class Encoder(nn.Module):
    """Normalised log-mels [B, F, 80] to FSQ digits [B, F / 4, 8]; all blocks run at token rate, where they are cheap."""

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.stride = config.frames_per_token
        self.enter = nn.Conv1d(BANDS, FRAME_WIDTH, 5, padding=2)
        self.shrink = nn.Linear(self.stride * FRAME_WIDTH, ENCODER_WIDTH)
        self.blocks = nn.Sequential(*(ConvNeXt(ENCODER_WIDTH) for _ in range(6)))
        self.leave = nn.Sequential(nn.LayerNorm(ENCODER_WIDTH), nn.Linear(ENCODER_WIDTH, config.digits))
        self.quantise = FSQ(config.levels, config.digits)

    def forward(self, mels: Tensor) -> Tensor:
        x = nn.functional.gelu(self.enter(mels.transpose(1, 2))).transpose(1, 2)
        batch, frames, width = x.shape
        x = self.shrink(x.reshape(batch, frames // self.stride, self.stride * width))
        digits: Tensor = self.quantise(self.leave(self.blocks(x)).float())
        return digits

    def codes(self, mels: Tensor) -> Tensor:
        """Codec tokens int64 [B, F / 4]."""
        return self.quantise.codes(self(mels))


def save_encoder(directory: Path, encoder: Encoder) -> None:
    """Write the encoder beside the checkpoint (float16): who has it can write more tokens of the same codec."""
    write_tensors(directory / ENCODER, encoder.state_dict(), half=True)


def load_encoder(directory: Path, config: VocoderConfig) -> Encoder:
    """The encoder of a checkpoint, in evaluation mode. Raises CheckpointError."""
    encoder = Encoder(config)
    assign(encoder.state_dict(), read_tensors(directory / ENCODER), directory / ENCODER)
    return encoder.eval()


class MelDecoder(nn.Module):
    """The vocoder's trunk with a mel head: digits [B, T, 8] to mels [B, 4 T, 80]."""

    def __init__(self, config: VocoderConfig, speaker: int) -> None:
        super().__init__()
        self.trunk = DecoderTrunk(config, speaker)
        self.head = nn.Linear(config.frame_width, BANDS)

    def forward(self, digits: Tensor, speaker: Tensor) -> Tensor:
        config = self.trunk.config
        state = StateReader(torch.zeros(len(digits), self.trunk.state_size, device=digits.device))
        padded = nn.functional.pad(digits, (0, 0, 0, config.lookahead))
        present = (torch.arange(padded.shape[1]) < digits.shape[1]).expand(len(digits), -1)
        frames = self.trunk.decode(padded, present, speaker, state)
        mels: Tensor = self.head(frames[:, config.lookahead * config.frames_per_token:])
        return mels


class PhonemeHead(nn.Module):
    """Digits [B, T, 8] to logits [B, 4 T, phonemes] of what sounds in each mel frame; it sees a token on either side."""

    def __init__(self, config: VocoderConfig, phonemes: int) -> None:
        super().__init__()
        self.phonemes = phonemes
        self.near = nn.Conv1d(config.digits, PHONEME_WIDTH, 3, padding=1)
        self.leave = nn.Linear(PHONEME_WIDTH, config.frames_per_token * phonemes)

    def forward(self, digits: Tensor) -> Tensor:
        x = nn.functional.gelu(self.near(digits.transpose(1, 2))).transpose(1, 2)
        return self.leave(x).reshape(len(digits), -1, self.phonemes)


class Spectrogram(NamedTuple):
    """One utterance: normalised log-mels float16 [F, 80], the phoneme id of each frame uint8 [F] (0: silence), and the
    speaker [Es]."""

    frames: np.ndarray
    phonemes: np.ndarray
    speaker: Tensor


def frame_phonemes(ids: Sequence[int], durations: np.ndarray, lead: int, frames: int) -> np.ndarray:
    """The phoneme id that sounds at the middle of each mel frame, 0 before the first and after the last."""
    ends = lead + np.cumsum(durations)
    middles = (np.arange(frames) + 0.5) * HOP / DURATION_HOP
    padded = np.array([*ids, 0], np.uint8)
    return np.where(middles < lead, 0, padded[np.searchsorted(ends, middles, side="right")]).astype(np.uint8)


def train_codec(corpus: list[Spectrogram], folder: Path, config: VocoderConfig, steps: int, phonemes: int,
                start: tuple[Encoder | None, DecoderTrunk] | None = None, batch: int = 12, seed: int = 0) -> None:
    """Fit encoder and mel decoder: L1 on normalised log-mels, cross-entropy on phonemes. Going on from `start`, even from its
    decoder alone, the codes keep roughly the meaning that they had there."""
    torch.manual_seed(seed)
    encoder, decoder = Encoder(config), MelDecoder(config, len(corpus[0].speaker))
    if start is not None:
        decoder.trunk.load_state_dict(start[1].state_dict())
        if start[0] is not None:
            encoder.load_state_dict(start[0].state_dict())
    head = PhonemeHead(config, phonemes)
    parts = {"encoder": encoder, "decoder": decoder, "phonemes": head}
    optimizers = Optimizers([pair for part in parts.values() for pair in part.named_parameters()], RATE, 0.01)
    long_enough = [one for one in corpus if len(one.frames) >= CROP]

    def step(index: int) -> dict[str, float]:
        rng = np.random.default_rng((seed, index))
        picks = [long_enough[pick] for pick in rng.integers(len(long_enough), size=batch)]
        starts = [int(rng.integers(len(one.frames) - CROP + 1)) for one in picks]
        pairs = list(zip(picks, starts, strict=True))
        frames = torch.from_numpy(np.stack([one.frames[start:start + CROP] for one, start in pairs]))
        spoken = torch.from_numpy(np.stack([one.phonemes[start:start + CROP] for one, start in pairs]))
        with half():
            digits = encoder(frames.float())
            made, logits = decoder(digits, torch.stack([one.speaker for one in picks])), head(digits)
        l1 = (made.float() - frames).abs().mean()
        spelling = nn.functional.cross_entropy(logits.float().flatten(0, 1), spoken.long().flatten())
        optimizers.step(l1 + PHONEME_WEIGHT * spelling, warm_cosine(index, steps, 50, 0.03))
        codes = len(set(encoder.quantise.codes(digits).flatten().tolist()))
        return {"l1": l1.item(), "phonemes": spelling.item(), "codes": float(codes)}

    fit(folder, {**parts, "optimizers": optimizers}, step, steps)
