"""The codec. Mel frames to 25 tokens per second of 6,561 codes (FSQ, 3 levels x 8 digits) and back to mels.

The encoder is not causal: it is used in training and for cloning only. The decoder's trunk is the vocoder's, causal and
streaming. A second head predicts the teacher's phonemes from the digits, as in CosyVoice's supervised tokens, and a frozen
recogniser compares the phonemes of decoded and true frames: at 317 bits per second, intelligibility comes first.
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
from runtime.text.phonemes import IDS
from training.codec.mel import BANDS
from training.codec.recogniser import MelRecogniser, PhonemePerceptualLoss, spelling_loss
from training.codec.spectrograms import Spectrogram, crops
from training.loop import fit, half, warm_cosine
from training.optimizers import Optimizers

PHONEME_WIDTH = 192
RATE = 1.5e-3
PHONEME_WEIGHT, PERCEPTUAL_WEIGHT = 0.1, 0.4
"""Of the phonemes' cross-entropy and of the hearing loss (some tenths each) beside the L1 (about 0.06)."""
REAL_SHARE = 0.25


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
    """Digits [B, T, 8] to phoneme logits [B, 4 T, phonemes] of each mel frame; with one token of context on either side."""

    def __init__(self, config: VocoderConfig, phonemes: int) -> None:
        super().__init__()
        self.phonemes = phonemes
        self.near = nn.Conv1d(config.digits, PHONEME_WIDTH, 3, padding=1)
        self.leave = nn.Linear(PHONEME_WIDTH, config.frames_per_token * phonemes)

    def forward(self, digits: Tensor) -> Tensor:
        x = nn.functional.gelu(self.near(digits.transpose(1, 2))).transpose(1, 2)
        return self.leave(x).reshape(len(digits), -1, self.phonemes)


class Codec(NamedTuple):
    """Encoder and decoder to continue training from."""

    encoder: CodecEncoder
    decoder: MelDecoder


def train_codec(corpus: Sequence[Spectrogram], real: Sequence[Spectrogram], recogniser: MelRecogniser, folder: Path,
                config: VocoderConfig, steps: int, start: Codec | None = None, fixed_codes: bool = False, batch: int = 12,
                seed: int = 0) -> None:
    """Fit encoder and mel decoder: L1 on normalised log-mels, phonemes predicted from the digits and from the mels.

    `corpus` is what the student made, `real` what the teacher said itself, REAL_SHARE of a batch: recordings that are cloned
    are real ones. Going on from `start`, the codes keep roughly the meaning that they had there; with `fixed_codes` they keep
    it, and only the decoder learns.
    """
    torch.manual_seed(seed)
    encoder, decoder = start or Codec(CodecEncoder(config), MelDecoder(config, len(corpus[0].speaker)))
    head, perceptual_loss = PhonemeHead(config, IDS), PhonemePerceptualLoss(recogniser)
    encoder.requires_grad_(not fixed_codes)
    parts = {"encoder": encoder, "decoder": decoder, "phonemes": head}
    learning = [(name, each) for part in parts.values() for name, each in part.named_parameters() if each.requires_grad]
    optimizers = Optimizers(learning, RATE, 0.01)
    share = round(REAL_SHARE * batch)

    def step(index: int) -> dict[str, float]:
        rng = np.random.default_rng((seed, index))
        both = zip(crops(corpus, batch - share, rng), crops(real, share, rng), strict=True)
        frames, spoken, speakers = (torch.cat(pair) for pair in both)
        with half():
            digits = encoder(frames)
            made, logits = decoder(digits, speakers), head(digits)
        l1, spelling = (made.float() - frames).abs().mean(), spelling_loss(logits, spoken)
        perceptual = perceptual_loss(made, frames)
        loss = l1 + PHONEME_WEIGHT * spelling + PERCEPTUAL_WEIGHT * perceptual
        optimizers.step(loss, warm_cosine(index, steps, 50, 0.03))
        codes = len(set(encoder.quantise.codes(digits).flatten().tolist()))
        return {"l1": l1.item(), "phonemes": spelling.item(), "perceptual": perceptual.item(), "codes": float(codes)}

    fit(folder, {**parts, "optimizers": optimizers}, step, steps)
