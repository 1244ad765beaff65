"""Training of the phoneme recogniser on codec tokens, by which a synthesizer verifies sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from export.model.config import VocoderConfig
from export.model.listener import Listener
from runtime.bundle.contract import NO_TOKEN
from training.data.token_file import TokenizedUtterance
from training.language_model.batches import corrupt
from training.loop import fit, half, warm_cosine
from training.optimizers import Optimizers

RATE = 2e-3
REDRAWN = 0.1
"""Share of the codes that get another digit, as a language model's draw may give them."""
UNHEARD = -100


def train_listener(train: Sequence[TokenizedUtterance], held_out: Sequence[TokenizedUtterance], folder: Path,
                   config: VocoderConfig, steps: int, batch: int = 32, seed: int = 0) -> None:
    """Fit the recogniser to the teacher's alignments; validation is its accuracy on the tokens of `held_out`."""
    torch.manual_seed(seed)
    listener = Listener(config)
    optimizers = Optimizers(listener.named_parameters(), RATE, 0.02)

    def step(index: int) -> dict[str, float]:
        picks = np.random.default_rng((seed, index)).integers(len(train), size=batch)
        tokens, phonemes = padded([train[pick] for pick in picks])
        random = torch.Generator().manual_seed(seed * 1_000_003 + index)
        changed = torch.where(tokens >= 0, corrupt(tokens, REDRAWN, config.levels, config.digits, random), tokens)
        with half():
            heard = listener(changed)
        loss = nn.functional.nll_loss(heard.float().flatten(0, 1), phonemes.flatten(), ignore_index=UNHEARD)
        optimizers.step(loss, warm_cosine(index, steps, 30, 0.03))
        return {"loss": loss.item()}

    @torch.no_grad()
    def validate() -> dict[str, float]:
        tokens, phonemes = padded(held_out)
        right = (listener(tokens).argmax(-1) == phonemes)[tokens >= 0]
        return {"right": right.float().mean().item()}

    fit(folder, {"listener": listener, "optimizers": optimizers}, step, steps, validate)


def padded(utterances: Sequence[TokenizedUtterance]) -> tuple[Tensor, Tensor]:
    """Codes and their phoneme ids, int64 [B, T]; padded with NO_TOKEN and UNHEARD."""
    return (pad_sequence([each.codes for each in utterances], True, NO_TOKEN),
            pad_sequence([each.ids[each.aligned] for each in utterances], True, UNHEARD))
