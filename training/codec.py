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
from export.model.encoders import CodecEncoder
from export.model.state import StateReader
from export.model.vocoder import DecoderTrunk
from training.loop import fit, half, warm_cosine
from training.mel import BANDS, HOP
from training.optimizers import Optimizers
from training.teacher import DURATION_HOP

PHONEME_WIDTH = 192
RATE = 2e-3
PHONEME_WEIGHT = 0.02
"""Of the phonemes' cross-entropy (about 1 nat) beside the L1 (about 0.05)."""
CROP = 256
"""Mel frames of a training crop (2.56 s)."""


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
                start: tuple[CodecEncoder | None, DecoderTrunk] | None = None, batch: int = 12, seed: int = 0) -> None:
    """Fit encoder and mel decoder: L1 on normalised log-mels, cross-entropy on phonemes. Going on from `start`, even from its
    decoder alone, the codes keep roughly the meaning that they had there."""
    torch.manual_seed(seed)
    encoder, decoder = CodecEncoder(config), MelDecoder(config, len(corpus[0].speaker))
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
