"""The codec of the spectral decoder: acoustic features to 25 tokens per second of 6,561 codes, and back to features.

The encoder reads features, not audio, so that a corpus needs no waveform. The decoder half is the trunk of the vocoder. It is
trained at token rate, a fifth of the cost of training through the frame stack: features are compared after the stack's first
convolution, which is all that the stack reads of them, and a linear head predicts the teacher's phonemes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from export.model.config import VocoderConfig
from export.model.encoders import FSQ, ConvNeXt
from export.model.spectral.vocoder import FEATURES, TEXT_WIDTH, TRUNK_LOOKAHEAD, VOICED, SpectralVocoder
from export.model.state import StateReader
from training.data.prosody import ProsodyUtterance
from training.loop import fit, half, warm_cosine
from training.optimizers import Optimizers

ENTER_WIDTH, WIDTH, BLOCKS = 192, 320, 4
PHONEMES = 178
"""Rows of the teacher's phoneme embedding."""
RATE = 2e-3
UNQUANTISED = 0.3
"""Share of utterances whose digits are bounded but not rounded, at first; it falls to 0: without them few codes are used."""
SAMPLE = 1500
"""Utterances whose features give mean and deviation."""
LOWEST_LOG = 60.0
"""Hz that unvoiced frames have in the regression of log F0, where they are masked."""
WEIGHTS = {"entry": 10.0, "text": 0.3, "prosody": 1.0, "voicing": 0.3, "pitch": 3.0, "phonemes": 0.3, "latents": 0.05}


class FeatureEncoder(nn.Module):
    """Normalised features [B, 3 T, 130] to FSQ digits [B, T, 8]; not causal, used in training only."""

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.stride = config.frames_per_token
        self.enter = nn.Conv1d(FEATURES, ENTER_WIDTH, 5, padding=2)
        self.shrink = nn.Linear(self.stride * ENTER_WIDTH, WIDTH)
        self.blocks = nn.Sequential(*(ConvNeXt(WIDTH) for _ in range(BLOCKS)))
        self.leave = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, config.digits))
        self.quantise = FSQ(config.levels, config.digits)

    def latents(self, features: Tensor) -> Tensor:
        """Input of the quantiser, float32 [B, T, 8]."""
        x = nn.functional.gelu(self.enter(features.transpose(1, 2))).transpose(1, 2)
        batch, frames, width = x.shape
        x = self.shrink(x.reshape(batch, frames // self.stride, self.stride * width))
        latents: Tensor = self.leave(self.blocks(x)).float()
        return latents

    def forward(self, features: Tensor) -> Tensor:
        digits: Tensor = self.quantise(self.latents(features))
        return digits

    def codes(self, features: Tensor) -> Tensor:
        """Codec tokens int64 [B, T]."""
        return self.quantise.codes(self(features))


class FeatureBatch(NamedTuple):
    """Padded utterances: normalised features [B, F, 130], F0 [B, F], phoneme labels [B, F] (-100: padding), frames [B]; F is a
    multiple of three."""

    features: Tensor
    pitch: Tensor
    labels: Tensor
    lengths: Tensor

    @property
    def mask(self) -> Tensor:
        """1 inside utterances, float32 [B, F]."""
        return (torch.arange(self.features.shape[1]) < self.lengths[:, None]).float()


def collate(utterances: Sequence[ProsodyUtterance], mean: Tensor, deviation: Tensor, stride: int) -> FeatureBatch:
    """Pad and normalise."""
    lengths = torch.tensor([each.frames for each in utterances])
    frames = -(-int(lengths.max()) // stride) * stride
    features, pitch = torch.zeros(len(utterances), frames, FEATURES), torch.zeros(len(utterances), frames)
    labels = torch.full((len(utterances), frames), -100)
    for row, each in enumerate(utterances):
        features[row, :each.frames] = (each.features() - mean) / deviation
        pitch[row, :each.frames] = torch.from_numpy(each.pitch)
        labels[row, :each.frames] = each.labels()
    return FeatureBatch(features, pitch, labels, lengths)


def feature_statistics(utterances: Sequence[ProsodyUtterance]) -> tuple[Tensor, Tensor]:
    """Mean and deviation [130] of features; text vectors have deviations of about 0.05 and need the scaling."""
    features = torch.cat([each.features() for each in utterances[:SAMPLE]])
    return features.mean(0), features.std(0).clamp(min=1e-3)


class TokenBatches:
    """Shuffled batches of utterances of similar lengths, filled to a number of frames; a step always gets the same batch."""

    def __init__(self, utterances: Sequence[ProsodyUtterance], frames: int, seed: int) -> None:
        self._utterances, self._frames, self._seed = utterances, frames, seed
        self._lengths = np.array([each.frames for each in utterances])
        self._plans: dict[int, list[list[int]]] = {}
        self.per_epoch = len(self._plan(0))

    def __getitem__(self, step: int) -> list[ProsodyUtterance]:
        epoch, index = divmod(step, self.per_epoch)
        plan = self._plan(epoch)
        return [self._utterances[pick] for pick in plan[min(index, len(plan) - 1)]]

    def _plan(self, epoch: int) -> list[list[int]]:
        if epoch not in self._plans:
            rng = np.random.default_rng((self._seed, epoch))
            plan: list[list[int]] = [[]]
            for pick in np.argsort(self._lengths * rng.uniform(0.9, 1.1, len(self._lengths))):
                if plan[-1] and self._lengths[[*plan[-1], pick]].max() * (len(plan[-1]) + 1) > self._frames:
                    plan.append([])
                plan[-1].append(int(pick))
            rng.shuffle(plan)
            self._plans = {epoch: plan}
        return self._plans[epoch]


def train_feature_codec(utterances: Sequence[ProsodyUtterance], vocoder: SpectralVocoder, folder: Path, steps: int,
                        frames: int = 2000, seed: int = 0) -> FeatureEncoder:
    """Fit encoder and the vocoder's trunk; the vocoder's stack has its first convolution and the feature statistics set."""
    torch.manual_seed(seed)
    config = vocoder.config
    encoder, head = FeatureEncoder(config), nn.Linear(config.token_width, config.frames_per_token * PHONEMES)
    parts = {"encoder": encoder, "trunk": vocoder.trunk, "phonemes": head}
    named = [(f"{name}.{each}", value) for name, part in parts.items() for each, value in part.named_parameters()]
    optimizers = Optimizers(named, RATE, 0.01)
    batches, mean, deviation = TokenBatches(utterances, frames, seed), vocoder.stack.mean, vocoder.stack.deviation

    def step(index: int) -> dict[str, float]:
        torch.manual_seed(seed * 1_000_003 + index)
        batch = collate(batches[index], mean, deviation, encoder.stride)
        losses, _ = feature_losses(encoder, vocoder, head, batch, UNQUANTISED * (1 - index / steps))
        optimizers.step(sum((WEIGHTS[name] * loss for name, loss in losses.items()), torch.zeros(())),
                        warm_cosine(index, steps, 60, 0.02), clip=2.0)
        return {name: loss.item() for name, loss in losses.items()}

    fit(folder, {**parts, "optimizers": optimizers}, step, steps)
    return encoder.eval()


def feature_losses(encoder: FeatureEncoder, vocoder: SpectralVocoder, head: nn.Linear, batch: FeatureBatch,
                   unquantised: float) -> tuple[dict[str, Tensor], Tensor]:
    """The parts of the loss by name, each a mean over the frames that it applies to, and the features [B, F, 130]."""
    late, stride = TRUNK_LOOKAHEAD, encoder.stride
    frames, mask = batch.features.shape[1], batch.mask
    with half():
        latents = encoder.latents(batch.features)
        digits = soften(encoder.quantise, latents, unquantised)
        tokens = digits.shape[1]
        present = torch.arange(tokens + late) < ((batch.lengths + stride - 1) // stride)[:, None]
        state = StateReader(torch.zeros(len(digits), vocoder.state_size))
        speaker = torch.zeros(len(digits), vocoder.trunk.speaker.in_features)
        hidden = vocoder.trunk.hidden(nn.functional.pad(digits, (0, 0, 0, late)), present, speaker, state)[:, late:]
        features, pitch = vocoder.trunk.features(hidden)
        logits = head(hidden).reshape(len(digits), frames, PHONEMES)
        difference = ((features - batch.features) * vocoder.stack.deviation).transpose(1, 2)
        entry = nn.functional.conv1d(difference, vocoder.stack.dec_in.weight.detach(), padding=vocoder.stack.past // 2)
    features, pitch, voiced = features.float(), pitch.float(), mask * (batch.pitch > VOICED)
    voicing = nn.functional.binary_cross_entropy_with_logits(pitch[..., 0], (batch.pitch > VOICED).float(), reduction="none")
    log_pitch = (pitch[..., 1] - batch.pitch.clamp(min=LOWEST_LOG).log()).abs()
    losses = {
        "entry": _mean(entry.float().square().mean(1), mask),
        "text": _mean((features - batch.features)[..., :TEXT_WIDTH].square().mean(-1), mask),
        "prosody": _mean((features - batch.features)[..., TEXT_WIDTH:].abs().sum(-1), mask),
        "voicing": _mean(voicing, mask), "pitch": _mean(log_pitch, voiced),
        "phonemes": nn.functional.cross_entropy(logits.float().flatten(0, 1), batch.labels.flatten(), ignore_index=-100),
        "latents": (latents.abs() - 2).clamp(min=0).square().mean() + latents.mean((0, 1)).square().mean(),
    }
    return losses, features


def soften(quantise: FSQ, latents: Tensor, share: float) -> Tensor:
    """Digits of which a random share of utterances is bounded only, not rounded."""
    rounded = quantise(latents)
    if share <= 0:
        return rounded
    soft = (torch.rand(len(latents), 1, 1) < share).float()
    return rounded * (1 - soft) + quantise.bound(latents) / quantise.reach * soft


def _mean(values: Tensor, mask: Tensor) -> Tensor:
    return (values * mask).sum() / mask.sum().clamp(min=1)
